#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes the targets of Fuzz/Targets. usage: [FUZZ_SECONDS=N] [PLANTED=1] fuzz.sh [TARGET…]; Fuzz/README.md says more.
# Fails on a finding; with PLANTED=1 it fails unless every target finds the bug that is planted in it.
source "$(dirname "$0")/common.sh"

seconds=${FUZZ_SECONDS:-60}
planted=${PLANTED:-}
build=.build-fuzz
[[ $seconds =~ ^[1-9][0-9]*$ ]] || fail "FUZZ_SECONDS is a number of seconds, not '$seconds'"
mapfile -t known < <(cd Fuzz/Targets && ls)
targets=("$@")
((${#targets[@]})) || targets=("${known[@]}")
for target in "${targets[@]}"; do
    [[ -d Fuzz/Targets/$target ]] || fail "there is no fuzz target '$target': use ${known[*]}"
done

steps=2
begin "building ${#targets[@]} fuzz targets${planted:+ with a planted bug}"
export APUS_FUZZ=${planted:+PLANTED}
export APUS_FUZZ=${APUS_FUZZ:-1}
for target in "${targets[@]}"; do
    swift build -c release --sanitize=fuzzer --scratch-path "$build" --product "fuzz-$target" --quiet
done
programs=$(swift build -c release --sanitize=fuzzer --scratch-path "$build" --show-bin-path)
python3 Fuzz/seeds.py "$build/seeds"
finish "built"

# fuzz TARGET: one target for its time, its words in a log, what it finds in a folder; its status is libFuzzer's.
fuzz() {
    local target=$1 work=$build/work/$1
    rm -rf "$work"
    mkdir -p "$work" "$build/corpus/$target"
    # The corpus grows in .build-fuzz; a planted run throws its own away, or the next run would begin with the crash.
    local corpus=$build/corpus/$target
    [[ -n $planted ]] && corpus=$work
    local words=()
    [[ -f $build/seeds/$target.dict ]] && words=("-dict=$build/seeds/$target.dict")
    # libFuzzer hears of crashes itself; Swift's backtraces would be in its way.
    SWIFT_BACKTRACE=enable=no "$programs/fuzz-$target" "$corpus" "$build/seeds/$target" \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 "${words[@]}" \
        -print_final_stats=1 -artifact_prefix="$work/" >"$work/log" 2>&1
}

# coverage TARGET: edges reached, of how many, features, inputs in all.
coverage() {
    local log=$build/work/$1/log
    local edges reached features runs
    edges=$(sed -n 's/^INFO: Loaded .*(\([0-9]*\) inline 8-bit counters).*/\1/p' "$log" | head -n 1)
    reached=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1 | cut -d ' ' -f 2)
    features=$(grep -o 'ft: [0-9]*' "$log" | tail -n 1 | cut -d ' ' -f 2)
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    printf '%s edges of %s, %s features, %s inputs' "${reached:-?}" "${edges:-?}" "${features:-?}" "${runs:-?}"
}

begin "fuzzing ${targets[*]}: $seconds s each, $(nproc) at a time"
status=0
mkdir -p "$build/work"
declare -A running=()
# settle: waits for one target to end and says what came of it.
settle() {
    local pid ended=0 finding=""
    wait -n -p pid "${!running[@]}" || ended=$?
    local target=${running[$pid]}
    unset "running[$pid]"
    finding=$(find "$build/work/$target" -maxdepth 1 -name '*-*' \( -name 'crash-*' -o -name 'timeout-*' \
        -o -name 'oom-*' -o -name 'leak-*' \) | head -n 1)
    if [[ -n $planted ]]; then
        if [[ -n $finding ]] && grep -q 'the planted bug' "$build/work/$target/log"; then
            echo "  $target: found the planted bug"
        else
            echo "  $target: NOT FOUND within $seconds s: $(coverage "$target")"
            status=1
        fi
    elif ((ended != 0)); then
        echo "  $target: FINDING in ${finding:-no file} (status $ended): $(coverage "$target")"
        grep -m 1 -B 1 -A 2 -E 'Fatal error|ERROR: libFuzzer' "$build/work/$target/log" || tail -n 5 "$build/work/$target/log"
        status=1
    else
        echo "  $target: no finding; $(coverage "$target")"
    fi
}
for target in "${targets[@]}"; do
    ((${#running[@]} < $(nproc))) || settle
    fuzz "$target" &
    running[$!]=$target
done
while ((${#running[@]})); do settle; done
((status == 0)) || fail "the findings' inputs are under $build/work; run $programs/fuzz-TARGET INPUT to see one again"
finish "fuzzed"
