# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# Shared by boot and cost: a machine in QEMU that runs guest.c and nothing else.
# Sourced after series.sh; $work is the folder where its reports go.

# make_initramfs NAME: $work/NAME.initramfs has the guest, a console, and the sample
# module, or the one called "barepoint" a static barepoint with the series
make_initramfs() {
	local root=$work/root binary

	rm -rf "$root"
	mkdir -p "$root/dev"
	cc -O2 -Wall -Wextra -Werror -static "$here/guest.c" -o "$root/init" ||
		die "guest.c does not compile"
	case $1 in
	barepoint)
		binary=$(cd "$project" && realpath "$(packaging/static)") ||
			die "no static barepoint"
		cp "$binary" "$root/barepoint"
		cp -r "$series" "$root/patches" ;;
	*)	cp "$done/after/hookstat.ko" "$root/" ;;
	esac
	if [ "$(id -u)" -eq 0 ]; then
		mknod "$root/dev/console" c 5 1
	fi
	(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) | gzip -1 >"$work/$1.initramfs"
	rm -rf "$root"
}

# run_machine NAME INITRAMFS BZIMAGE PARAMETERS [QEMU-OPTION...]: one boot, until the
# guest resets the machine. Its report is $work/NAME/report, the console beside it.
#
# With a thread for each CPU, QEMU may run into the int3 of code that the kernel has
# finished patching on the other CPU, which no hardware does; seen once in 30 boots, on
# a busy machine. Then it is booted again, with one thread for all CPUs.
run_machine() {
	local dir=$work/$1 initramfs=$work/$2.initramfs image=$3 parameters=$4
	shift 4

	mkdir -p "$dir"
	if [ $# -gt 0 ]; then
		emulate "$@"
	else
		# A kernel without ACPI finds its CPUs by the MP table, which has one of
		# each socket
		emulate -accel tcg,thread=multi -smp 2,sockets=2
		if grep -q '^Oops: int3' "$dir/console"; then
			note "QEMU mixed up patched code, booting again with one thread"
			emulate -accel tcg,thread=single -smp 2,sockets=2
		fi
	fi
	if [ "$(tail -n 1 "$dir/report")" != done ]; then
		tail -n 5 "$dir/console" "$dir/report" >&2
		fail "the guest did not get to its end; see $dir"
	fi
}

# emulate QEMU-OPTION...: with $dir, $initramfs, $image and $parameters of run_machine
emulate() {
	timeout 600 qemu-system-x86_64 "$@" -m 512 -display none -monitor none -no-reboot \
		-kernel "$image" -initrd "$initramfs" \
		-append "console=ttyS0 panic=-1 tsc=nowatchdog $parameters" \
		-serial "file:$dir/console" -serial "file:$dir/report" </dev/null ||
		die "QEMU failed, or did not end within 600 s; see $dir/console"
}
