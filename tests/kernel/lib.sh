# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# Shared by all scripts below tests/: the cache, messages, and a private apt that
# brings Debian packages without touching the machine's own apt state.
#
# The private apt has its own source list, lists, cache and (empty) package
# database. Only the site comes from the machine's apt configuration, and only
# Debian's archive keyring vouches for what it brings.

# Command substitutions, too, end at the first failure
shopt -s inherit_errexit

tests=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
cache=${BAREPOINT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/barepoint}
keyring=

say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# die MESSAGE...: the job could not be done
die() {
	say "error: $*"
	exit 2
}

have() {
	command -v "$1" >/dev/null 2>&1
}

# need_packages SCRIPT...: install what tests/packages names for these scripts, and the
# machine does not have
need_packages() {
	local pair missing=()

	for pair in $(packages_of "$@"); do
		is_here "${pair%%=*}" || missing+=("${pair#*=}")
	done
	[ ${#missing[@]} -eq 0 ] && return 0
	if [ "$(id -u)" -ne 0 ] || ! have apt-get; then
		die "these Debian packages are missing: ${missing[*]}." \
		    "Install them (apt-get install ${missing[*]}) and run this again"
	fi
	mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
	say "installing ${missing[*]}"
	made "${#missing[@]} packages"
	apt_get_root update
	apt_get_root install "${missing[@]}"
}

# packages_of SCRIPT...: their rows of tests/packages, each pair once
packages_of() {
	local script

	for script in "$@"; do
		sed -n "s/^$script\t//p" "$tests/packages" | grep . ||
			die "tests/packages has no row for $script"
	done | tr ' ' '\n' | sort -u
}

# is_here WHAT: a command, a header, or a module of Python's
is_here() {
	case $1 in
	*.h)	echo "#include <$1>" | "${CC:-cc}" -E -x c - >/dev/null 2>&1 ;;
	python3:*) python3 -c "import ${1#*:}" 2>/dev/null ;;
	*)	have "$1" ;;
	esac
}

digest() {
	sha256sum | cut -c1-12
}

# sources: what barepoint is made of, for a digest
sources() {
	(
		cd "$tests/.."
		rustc -vV
		find Cargo.toml Cargo.lock build.rs src rules packaging/static -type f -print0 |
			LC_ALL=C sort -z | xargs -0 sha256sum
	)
}

# made WHAT, cached WHAT, left_out WHAT: for the table of tests/run, whether it was made
# anew, was in the cache, or was not looked at at all
made() {
	echo "made $*" >>"${STEP_NOTES:-/dev/null}"
}

cached() {
	echo "cached $*" >>"${STEP_NOTES:-/dev/null}"
}

left_out() {
	echo "left_out $*" >>"${STEP_NOTES:-/dev/null}"
}

# The machine's own apt-get, quiet unless it fails
apt_get_root() {
	local log

	log=$(mktemp)
	if ! DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
		--no-install-recommends "$@" >"$log" 2>&1 </dev/null; then
		cat "$log" >&2
		rm -f "$log"
		die "apt-get $* failed"
	fi
	rm -f "$log"
}

# lock NAME: one run at a time may make NAME; held until this shell ends
lock() {
	mkdir -p "$cache/locks"
	exec {lock_fd}>"$cache/locks/$1"
	if ! flock -n "$lock_fd"; then
		say "waiting for another run that makes $1"
		flock "$lock_fd"
	fi
}

unlock() {
	exec {lock_fd}>&-
}

# "URI SUITE" of every Debian suite that the machine's apt knows. Asked of a
# dry update, which tells it even where no package lists were fetched yet.
own_suites() {
	local codename lists

	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-none}")
	lists=$(mktemp -d)
	mkdir "$lists/partial"
	apt-get update --print-uris -o "Dir::State::Lists=$lists" 2>/dev/null |
		sed -n "s|^'\(.*\)/dists/\([^/ ]*\)/InRelease' .*|\1 \2|p" |
		awk -v codename="$codename" '
			{ suite = $2; sub(/-(updates|security|backports.*)$/, "", suite) }
			suite == codename ||
			suite ~ /^(sid|unstable|testing|stable|oldstable|bookworm|trixie|forky)$/ {
				if (!seen[$0]++) print
			}'
	rm -rf "$lists"
}

# The site that serves SUITE ($1), as far as the machine's apt knows. Security
# updates have a site of their own, which lies beside the main one.
site_of() {
	local site

	case $1 in
	*-security)
		site=$(own_suites | awk '$2 ~ /-security$/ { print $1; exit }')
		if [ -z "$site" ]; then
			site=$(site_of "${1%-security}")
			site=${site%/}
			site=${site:+${site%/debian}/debian-security}
		fi ;;
	*)	site=$(own_suites | awk '$2 !~ /-security$/ { print $1; exit }') ;;
	esac
	echo "$site"
}

find_keyring() {
	local k

	for k in "$cache"/apt/keyring/usr/share/keyrings/debian-archive-keyring.{pgp,gpg} \
		 /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
		if [ -e "$k" ]; then
			keyring=$k
			return 0
		fi
	done
	die "Debian's archive keyring is not on this machine: install the" \
	    "package debian-archive-keyring, or set BAREPOINT_KERNELS"
}

# apt_root NAME "URI SUITE"...: makes the private apt NAME, prints its folder
apt_root() {
	local dir=$cache/apt/$1 entry
	shift

	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	: >"$dir/status"
	find_keyring
	for entry in "$@"; do
		printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n\n' \
			"${entry% *}" "${entry#* }" "$keyring"
	done >"$dir/list.sources"
	cat >"$dir/apt.conf" <<-CONF
		// The machine's apt.conf stays in force (proxies), but neither its
		// sources nor its hooks do. The cache may lie in a home directory
		// that the user _apt can't enter.
		Dir::Etc::SourceList "$dir/list.sources";
		Dir::Etc::SourceParts "/dev/null";
		Dir::Etc::Preferences "/dev/null";
		Dir::Etc::PreferencesParts "/dev/null";
		Dir::State "$dir";
		Dir::State::Lists "$dir/lists";
		Dir::State::Status "$dir/status";
		Dir::Cache "$dir/cache";
		APT::Sandbox::User "root";
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; };
		APT::Update::Error-Mode "any";
		Acquire::Languages "none";
		Acquire::Retries "3";
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		#clear DPkg::Post-Invoke;
	CONF
	echo "$dir"
}

# apt_update DIR: fresh lists for a private apt, not more often than hourly
apt_update() {
	local dir=$1

	if [ -e "$dir/updated" ] && [ -z "${refresh:-}" ] &&
	   cmp -s "$dir/list.sources" "$dir/updated" &&
	   [ -n "$(find "$dir/updated" -mmin -60)" ]; then
		return 0
	fi
	# What the machine has of these lists need not come again; apt asks whether it is
	# still the newest, and looks at its signature as at any other
	cp -pn /var/lib/apt/lists/*_dists_* "$dir/lists/" 2>/dev/null || :
	apt-get -q -c "$dir/apt.conf" update >"$dir/log" 2>&1 || return 1
	cp "$dir/list.sources" "$dir/updated"
}

# A newer archive keyring, brought by the suites that the present one vouches for
newer_keyring() {
	local dir tmp deb

	[ -e "$cache/apt/keyring" ] && return 1
	dir=$(tier_own) || return 1
	tmp=$(mktemp -d "$cache/apt/keyring.XXXXXX")
	(cd "$tmp" && apt-get -q -c "$dir/apt.conf" download \
		debian-archive-keyring >/dev/null 2>&1) || return 1
	deb=$(echo "$tmp"/*.deb)
	dpkg-deb -x "$deb" "$tmp" && rm -f "$deb" && mv "$tmp" "$cache/apt/keyring"
}

# Private apt over the machine's own Debian suites
tier_own() {
	local entries dir

	mapfile -t entries < <(own_suites)
	[ ${#entries[@]} -gt 0 ] || return 1
	dir=$(apt_root own "${entries[@]}")
	if ! apt_update "$dir"; then
		say "warning: no package lists from this machine's suites:"
		cat "$dir/log" >&2
		return 1
	fi
	echo "$dir"
}

# tier_suite SUITE: private apt over a suite that the machine may not have
tier_suite() {
	local site dir

	site=${BAREPOINT_DEBIAN_SITE:-$(site_of "$1")}
	[ -n "$site" ] || return 1
	dir=$(apt_root "$1" "$site $1")
	apt_update "$dir" && { echo "$dir"; return 0; }
	if grep -q NO_PUBKEY "$dir/log" && newer_keyring; then
		say "this machine's archive keyring is older than $1: using the" \
		    "newer package's, which its own suites vouch for"
		dir=$(apt_root "$1" "$site $1")
		apt_update "$dir" && { echo "$dir"; return 0; }
	fi
	say "warning: no package lists for $1:"
	cat "$dir/log" >&2
	return 1
}

# The private apts that may have kernel SERIES ($1), best first
tiers() {
	case $1 in
	6.1)	echo own bookworm-security bookworm ;;
	6.12)	echo own bookworm-security trixie-security trixie ;;
	7.3)	echo own trixie-backports ;;
	*)	echo own trixie-backports ;;
	esac
}

# The minor release that tests/data and patches/ were made for
reference() {
	case $1 in
	6.1)	echo 6.1.192 ;;
	6.12)	echo 6.12.117 ;;
	7.3)	echo 7.3.4 ;;
	esac
}

# release_of DIR: the release that the tree's Makefile names, e.g. 6.12.117
release_of() {
	awk -F' *= *' '
		$1 == "VERSION" { v = $2 } $1 == "PATCHLEVEL" { p = $2 }
		$1 == "SUBLEVEL" { print v "." p "." $2; exit }' "$1/Makefile" 2>/dev/null
}

# versions DIR PACKAGE: the versions that a private apt offers, newest first
versions() {
	apt-cache -c "$1/apt.conf" madison "$2" 2>/dev/null |
		awk -F'|' '{ gsub(/ /, "", $2); if (!seen[$2]++) print $2 }'
}

# upstream VERSION: 6.12.117-1~deb12u1 -> 6.12.117
upstream() {
	echo "${1%%-*}"
}

# find_package SERIES PACKAGE MINOR: prints "DIR VERSION" of the package with
# exactly that minor release, or else of the newest one
find_package() {
	local tier dir v found='' best=''

	have apt-get || return 1
	for tier in $(tiers "$1"); do
		case $tier in
		own)	dir=$(tier_own) || continue ;;
		*)	dir=$(tier_suite "$tier") || continue ;;
		esac
		for v in $(versions "$dir" "$2"); do
			if [ "$(upstream "$v")" = "$3" ]; then
				found="$dir $v"
				break 2
			fi
			if [ -z "$best" ] || dpkg --compare-versions \
				"$v" gt "${best#* }"; then
				best="$dir $v"
			fi
		done
	done
	[ -n "${found:-$best}" ] || return 1
	echo "${found:-$best}"
}

# sha256_of DIR PACKAGE VERSION: the hash in the signed package list
sha256_of() {
	apt-cache -c "$1/apt.conf" show "$2=$3" | awk '/^SHA256:/ { print $2; exit }'
}

# download DIR PACKAGE VERSION WHERE: the .deb, whose hash apt checks against the
# signed package list; its path on stdout
download() {
	if ! (cd "$4" && apt-get -q -c "$1/apt.conf" download "$2=$3" \
		>"$4/log" 2>&1); then
		cat "$4/log" >&2
		die "the download of $2 $3 failed; run this again, or set" \
		    "BAREPOINT_KERNELS to a folder with the trees"
	fi
	rm -f "$4/log"
	echo "$4/${2}_"*.deb
}
