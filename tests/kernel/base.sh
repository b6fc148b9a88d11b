# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# The unpatched kernel that a series is held against: a scratch copy of the tree, in
# $src, its build, in $out, and what is kept of that, in $base/before. Sourced by build
# after series.sh, which knows them by what is in this file, too.
#
# All is built with W=1, so that there are warnings to compare those of any object with,
# and none is built twice for the sake of its warnings. That kbuild has kernel-doc read
# each source then, too, is only wanted of those that a patch touches.
without_doc=cmd_checkdoc=

# kernel_make LOG ARGUMENT...: make in the scratch copy. LOCALVERSION is set, if to
# nothing, so that the scratch repository adds no "+" to the release: otherwise no
# module would load into the other kernel, whatever its symbols.
kernel_make() {
	local log=$1
	shift

	if ! make -s -C "$src" O="$out" LOCALVERSION= KBUILD_BUILD_TIMESTAMP=0 \
		W=1 -j"$jobs" "$@" >"$log" 2>&1; then
		grep -E 'error:|Error |undefined|multiple definition' "$log" |
			head -n 20 >&2
		fail "make $* fails; the whole log is $log"
	fi
}

# What kernel-doc says of a file of the scratch copy, as kbuild has it
kernel_doc() {
	local program

	for program in "$src"/{tools/docs,scripts}/kernel-doc; do
		[ ! -e "$program" ] || break
	done
	(cd "$src" && "$program" -none "$1" 2>&1) || :
}

make_base() {
	local tmp start lost

	if [ -e "$base/ready" ]; then
		cached "$version without it"
		return 0
	fi
	made "$version without it"
	rm -rf "$cache/build/$version"-*
	mkdir -p "$base/before"
	tmp=$base/src.new
	# Links, not copies: git and O= builds replace files, never write into them
	cp -al "$tree" "$tmp" 2>/dev/null || {
		rm -rf "$tmp"
		cp -a --reflink=auto "$tree" "$tmp"
	}
	rm -rf "$tmp/.git"
	mv "$tmp" "$src"
	kernel_make "$base/config.log" tinyconfig
	cat "$here/config" >>"$out/.config"
	kernel_make "$base/config.log" olddefconfig
	lost=$(grep '^CONFIG_' "$here/config" | grep -vxFf "$out/.config") &&
		die "this kernel's Kconfig drops" "$lost" "from $here/config"
	lost=$(sed -n 's/^# \(CONFIG_.*\) is not set$/\1=/p' "$here/config" |
		grep -Ff - "$out/.config") &&
		die "this kernel's Kconfig turns on" "$lost" "which $here/config turns off"
	start=$SECONDS
	kernel_make "$base/base.log" $without_doc vmlinux bzImage
	cp "$out/vmlinux" "$out/arch/x86/boot/bzImage" "$base/before/"
	touch "$base/ready"
	note "${tree##*/}: built in $((SECONDS - start)) s"
}
