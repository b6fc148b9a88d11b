# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# Steps that run two at a time, for tests/run. Sourced after tests/kernel/lib.sh.
#
# A step is registered by step, and run_steps runs them all: two lanes take one step
# after the other, always the first in order that has nothing left to wait for. What a
# step prints is printed when it has ended, in one piece. Each runs in a session of its
# own, and its scratch is in a folder of the run, so that nothing outlives it.
#
# What a step made anew, took from the cache or left out it says through made, cached
# and left_out of lib.sh; the table at the end has it.

lanes=2

steps=()
declare -A command=() after=() budget=() state=() seconds=() cpu=()
declare -A running=()			# process: the step that it is

# step NAME BUDGET AFTER COMMAND...: register a step. BUDGET is COLD/WARM, the seconds of
# processor time that it may take when it has to make what it needs, and when the cache
# has it; AFTER the steps that have to pass first, with ", " between two, or nothing. What a step
# adds to the file $STEP_ENVIRONMENT, those that start later begin with.
step() {
	local name=$1

	steps+=("$name")
	budget[$name]=$2
	after[$name]=$3
	state[$name]=waiting
	shift 3
	printf -v "command[$name]" '%q ' "$@"
}

# folder_of STEP: where its output, time and notes are
folder_of() {
	echo "$run/${1//[^a-z0-9.]/-}"
}

start_step() {
	local name=$1 folder

	folder=$(folder_of "$name")
	mkdir -p "$folder"
	: >"$folder/notes"
	state[$name]=running
	echo "   $(clock) $name ..."
	# shellcheck disable=SC2016 # for the inner shell
	STEP_NOTES=$folder/notes STEP_TIME=$folder/time STEP_ENVIRONMENT=$run/environment \
		setsid bash -c '
		. "$STEP_ENVIRONMENT"
		TIMEFORMAT="%R %U %S"
		{ time eval "$1" 2>&1; } 2>"$STEP_TIME"' step "${command[$name]}" \
		>"$folder/log" </dev/null &
	running[$!]=$name
}

clock() {
	printf '%02d:%02d' $((SECONDS / 60)) $((SECONDS % 60))
}

end_step() {
	local name=$1 status=$2 folder real=0 user=0 system=0

	folder=$(folder_of "$name")
	[ ! -s "$folder/time" ] || read -r real user system < <(tail -n 1 "$folder/time")
	seconds[$name]=${real%.*}
	cpu[$name]=$(awk "BEGIN { printf \"%.0f\", $user + $system }")
	echo "== $name"
	cat "$folder/log"
	if [ "$status" -eq 0 ]; then
		state[$name]=passed
		echo "== $name: passed in ${seconds[$name]} s"
	else
		state[$name]=failed
		echo "== $name: FAILED in ${seconds[$name]} s (exit status $status)"
	fi
}

# next_step: the first one that may start, in $next
next_step() {
	local name other blocked

	for name in "${steps[@]}"; do
		[ "${state[$name]}" = waiting ] || continue
		blocked=
		while IFS= read -r other; do
			[ -n "$other" ] || continue
			case ${state[$other]-} in
			passed) ;;
			waiting | running) blocked=1 ;;
			'')	die "$name waits for $other, which is no step" ;;
			*)	state[$name]="not run, as \"$other\" did not pass"
				blocked=1
				break ;;
			esac
		done <<<"${after[$name]//, /$'\n'}"
		[ -n "$blocked" ] || { next=$name; return 0; }
	done
	return 1
}

# run_steps: all of them; afterwards $passed, $failed and $skipped count
run_steps() {
	local next process status

	run=$(mktemp -d)
	export TMPDIR=$run/scratch
	mkdir "$TMPDIR"
	# Some tests are run as nobody
	chmod 711 "$run"
	chmod 1777 "$TMPDIR"
	: >"$run/environment"
	trap stop_steps EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	while :; do
		while [ ${#running[@]} -lt "$lanes" ] && next_step; do
			start_step "$next"
		done
		[ ${#running[@]} -gt 0 ] || break
		status=0
		# The trap of a signal runs only when a wait returns, which it interrupts
		wait -n -p process "${!running[@]}" || status=$?
		[ -n "${process:-}" ] || continue
		end_session "$process"
		end_step "${running[$process]}" "$status"
		unset "running[$process]"
	done
	count_steps
}

# end_session PROCESS: ends what is left of its session, first politely. A step that
# passes leaves nothing; one that is interrupted has compilers and machines at work.
end_session() {
	local try left signal=TERM

	for try in $(seq 30); do
		mapfile -t left < <(session "$1")
		[ ${#left[@]} -gt 0 ] || return 0
		[ "$try" -lt 5 ] || signal=KILL
		kill -"$signal" "${left[@]}" 2>/dev/null || :
		sleep 0.2
	done
	say "these cannot be ended: ${left[*]}"
}

# session ID: its processes
session() {
	local stat line fields

	for stat in /proc/[0-9]*/stat; do
		{ read -r line <"$stat"; } 2>/dev/null || continue
		# The name before it may have anything in it
		read -r -a fields <<<"${line##*) }"
		[ "${fields[3]}" != "$1" ] || [ "${fields[0]}" = Z ] || echo "${line%% *}"
	done
}

stop_steps() {
	local process

	for process in "${!running[@]}"; do
		say "stopping ${running[$process]}"
		end_session "$process"
	done
	rm -rf "$run"
}

count_steps() {
	local name

	passed=0 failed=0 skipped=0
	for name in "${steps[@]}"; do
		case ${state[$name]} in
		passed) passed=$((passed + 1)) ;;
		failed | "not run"*) failed=$((failed + 1)) ;;
		*)	skipped=$((skipped + 1)) ;;
		esac
	done
}

# skip_step NAME WHY: a step that is left out on purpose
skip_step() {
	steps+=("$1")
	state[$1]="skipped: $2"
}

# notes_of STEP KIND: what it made, took from the cache or left out
notes_of() {
	sed -n "s/^$2 //p" "$(folder_of "$1")/notes" 2>/dev/null |
		awk 'NR > 1 { printf ", " } { printf "%s", $0 }'
}

# table: what each step took, and what came from the cache or was left out
table() {
	local name made cached left total=0 over=() limit

	printf '\n%-30s %-9s %6s %6s %7s  %s\n' step result s 'CPU s' budget ''
	for name in "${steps[@]}"; do
		case ${state[$name]} in
		passed | failed) ;;
		*)	printf '%-30s %s\n' "$name" "${state[$name]}"
			continue ;;
		esac
		made=$(notes_of "$name" made)
		cached=$(notes_of "$name" cached)
		left=$(notes_of "$name" left_out)
		# Without anything made, the smaller budget
		limit=${budget[$name]%/*}
		[ -n "$made" ] || [ -z "$cached" ] || limit=${budget[$name]#*/}
		[ "${cpu[$name]}" -le "$limit" ] ||
			over+=("$name took ${cpu[$name]} s of processor time; its budget is $limit")
		total=$((total + cpu[$name]))
		printf '%-30s %-9s %6s %6s %7s  %s\n' "$name" "${state[$name]}" \
			"${seconds[$name]}" "${cpu[$name]}" "$limit" \
			"${made:+made: $made${cached:+; }}${cached:+cached: $cached}${left:+; left out: $left}"
	done
	printf '%-30s %-9s %6s %6s\n\n' "all" "" "$SECONDS" "$total"
	[ ${#over[@]} -eq 0 ] || printf 'over budget: %s\n' "${over[@]}"
}

# first_failure: its last lines once more, so that nobody has to look for them
first_failure() {
	local name

	for name in "${steps[@]}"; do
		[ "${state[$name]}" = failed ] || continue
		echo "first failure: $name; the end of what it printed:"
		tail -n 25 "$(folder_of "$name")/log" | sed 's/^/    /'
		return
	done
}
