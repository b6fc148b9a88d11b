# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# Shared by build, boot, cost and promote: one series in patches/, its kernel, and
# where the cache has what was made of them. Sourced after lib.sh, with $here set.
#
# find_series VERSION sets
#
#   version  of the series: 6.12, 7.3
#   series   its folder, patches/VERSION
#   patches  its patches in order, without the cover letter
#   hooks    the tracepoints that it brings, by their real names (with _tp)
#   tree     the kernel that it is for, which is never written to
#   base     where all is kept that belongs to this tree, config and compiler:
#            src (a scratch copy of the tree), out (the build folder),
#            before/ (vmlinux and bzImage without the series)
#   done     where what was made of exactly these patches is kept: after/ (vmlinux,
#            bzImage, hookstat.ko), leak/ (the same with a planted leak)

jobs=${JOBS:-$(nproc)}
project=$(realpath "$here/../..")

# fail MESSAGE...: the series is not right
fail() {
	say "$version: $*"
	exit 1
}

note() {
	echo "$version: $*"
}

find_series() {
	version=$1
	series=$project/patches/$version
	patches=("$series"/[0-9]*.patch)
	[ -e "${patches[0]}" ] || die "$series holds no patches"
	case ${patches[0]##*/} in 0000-*) unset 'patches[0]' ;; esac
	[ ${#patches[@]} -gt 0 ] || die "$series holds no patch but a cover letter"
	find_hooks

	tree=$("$here/get" "$version")
	base=$cache/build/$version-$({ echo "$tree"; cat "$here"/{config,base.sh}
		cc --version; ld --version; } | digest)
	src=$base/src
	out=$base/out
	done=$base/series-$(cat "${patches[@]}" "$here"/{build,leak.c,series.sh} | digest)
}

find_hooks() {
	mapfile -t hooks < <(sed -n 's/^+DECLARE_TRACE(\([a-z0-9_]*\),$/\1/p' \
		"${patches[@]}" | sed 's/_tp$//; s/$/_tp/')
	[ ${#hooks[@]} -gt 0 ] || die "$series declares no tracepoint"
}

# touched PATCH...: the files that they touch
touched() {
	sed -n 's|^diff --git a/\(.*\) b/.*|\1|p' "$@" | sort -u
}

# The messages of the patches, and the cover letter
messages() {
	sed -s '/^---$/,$d' "$series"/*.patch
}

# A git that knows nothing of the user's configuration
scratch_git() {
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null \
	GIT_COMMITTER_NAME=barepoint GIT_COMMITTER_EMAIL=barepoint@localhost \
	GIT_AUTHOR_NAME=barepoint GIT_AUTHOR_EMAIL=barepoint@localhost \
		git -C "$src" -c gc.auto=0 -c core.autocrlf=false "$@"
}

# The program, or $BAREPOINT in its place
barepoint() {
	if [ -n "${BAREPOINT:-}" ]; then
		"$BAREPOINT" "$@"
	else
		cargo run --quiet --release --manifest-path "$project/Cargo.toml" -- "$@"
	fi
}

# answer FOLDER COMMAND...: what it prints, kept in FOLDER by the sources of barepoint; it
# is not run again while they and what lies in FOLDER are the same
answer() {
	local answers

	answers=$1/answers-$(sources | digest)
	shift
	if [ -e "$answers" ] && [ -z "${again:-}" ]; then
		cached "barepoint's answers"
		cat "$answers"
		return 0
	fi
	made "barepoint's answers"
	rm -f "${answers%-*}"-*
	"$@" | tee "$answers.new"
	mv "$answers.new" "$answers"
}
