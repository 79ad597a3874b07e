# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the scripts share: sourced, not run. Numbered, timed steps; the build's folder; errors.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C.UTF-8

# What `apus --version` calls the sources: the commit, with +dirty where files differ from it; empty outside of a clone.
APUS_COMMIT=""
if [[ $(git -c safe.directory='*' rev-parse --show-toplevel 2>/dev/null) == "$(pwd -P)" ]]; then
    APUS_COMMIT=$(git -c safe.directory='*' describe --always --exclude '*' --dirty=+dirty 2>/dev/null) || APUS_COMMIT=""
fi
export APUS_COMMIT

steps=0        # how many steps this run has; set by the script
step=0
step_began=0

# source_date: when the sources were committed, in seconds since 1970; now, outside of a clone.
source_date() {
    if [[ -n $APUS_COMMIT ]]; then git -c safe.directory='*' log -1 --format=%ct; else date +%s; fi
}

# begin SENTENCE: starts the next numbered step.
begin() {
    step=$((step + 1))
    step_began=$(date +%s%N)
    printf '[%d/%d] %s\n' "$step" "$steps" "$*"
}

# finish [REMARK]: ends the step and says how long it took.
finish() {
    local tenths=$((($(date +%s%N) - step_began) / 100000000))
    printf '[%d/%d] %s in %d.%d s\n' "$step" "$steps" "${1:-done}" $((tenths / 10)) $((tenths % 10))
}

# fail SENTENCE…: says what is wrong and what to do, and stops.
fail() {
    printf 'error: %s\n' "$1" >&2
    shift
    (($# == 0)) || printf '       %s\n' "$@" >&2
    exit 1
}

# build_for_packaging: the first two steps of what packs a release.
build_for_packaging() {
    begin "host packages"
    Scripts/setup.sh package
    finish "host ready"

    begin "building apus (release)"
    Scripts/build.sh
    finish "built"
}
