#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes the host ready: Swift is there, and so are the Debian packages of a set in Scripts/packages.txt.
# usage: setup.sh [run|test|bench|package|all]
# As root it installs what is missing, having said what and how much; as a user it prints the line for that and stops.
source "$(dirname "$0")/common.sh"

set_wanted=${1:-run}
case $set_wanted in
    run) sets="run" ;;
    test) sets="run test" ;;
    bench) sets="run bench" ;;
    package) sets="run package" ;;
    all) sets="run test bench package" ;;
    *) fail "there is no package set '$set_wanted': use run, test, bench, package or all" ;;
esac

# check_swift: the compiler's version decides whether the package's manifest can be read at all.
check_swift() {
    local wanted=6.3 found
    command -v swift >/dev/null ||
        fail "swift is not on PATH: install Swift $wanted or newer from https://www.swift.org/install/linux and try again"
    found=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)
    [[ -n $found ]] || fail "'swift --version' prints no version: is $(command -v swift) a working Swift toolchain?"
    [[ $(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1) == "$wanted" ]] ||
        fail "this is Swift $found and Apus needs $wanted or newer: get it from https://www.swift.org/install/linux"
}

# wanted_packages: the packages of the chosen sets, one a line.
wanted_packages() {
    local set package _
    while read -r set package _; do
        [[ " $sets " == *" $set "* ]] && printf '%s\n' "$package"
    done < <(grep -v '^#' Scripts/packages.txt) | sort -u
}

# missing_packages PACKAGE…: those of them that are not installed.
missing_packages() {
    comm -23 <(printf '%s\n' "$@" | sort) \
        <(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' | sort -u)
}

# simulate PACKAGE…: what apt would do, without doing it.
simulate() {
    LC_ALL=C apt-get install -y --no-install-recommends --print-uris "$@" 2>/dev/null
}

# install_packages PACKAGE…: as root.
install_packages() {
    export DEBIAN_FRONTEND=noninteractive
    local plan log
    log=$(mktemp)
    # SC2064: the name is wanted as it is now.
    # shellcheck disable=SC2064
    trap "rm -f '$log'" EXIT
    if ! plan=$(simulate "$@"); then
        echo "      reading the package lists first (apt-get update)"
        apt-get update -qq >"$log" 2>&1 || { cat "$log" >&2; fail "'apt-get update' failed: is a Debian mirror reachable?"; }
        plan=$(simulate "$@") ||
            fail "apt cannot install: $*" "see 'apt-get install --no-install-recommends $*' for the reason"
    fi
    local amount size
    amount=$(sed -n 's/^Need to get \(.*\) of archives\.$/\1/p' <<<"$plan")
    size=$(sed -n 's/^After this operation, \(.*\) of additional disk space.*/\1/p' <<<"$plan")
    echo "      download: ${amount:-nothing}; disk: ${size:-no more}; usually under two minutes"
    if ! apt-get install -y -qq --no-install-recommends "$@" >"$log" 2>&1; then
        # Old package lists name files that the mirror no longer has: read them anew, once.
        echo "      the package lists are old: reading them anew"
        apt-get update -qq >>"$log" 2>&1 || true
        apt-get install -y -qq --no-install-recommends "$@" >>"$log" 2>&1 ||
            { tail -n 20 "$log" >&2; fail "installing packages failed: what apt said is above"; }
    fi
}

check_swift
mapfile -t wanted < <(wanted_packages)
if ! command -v dpkg-query >/dev/null; then
    echo "note: this is no Debian or Ubuntu host, so nothing was checked; Apus needs what these packages hold:" "${wanted[@]}" >&2
    exit 0
fi
mapfile -t missing < <(missing_packages "${wanted[@]}")
((${#missing[@]} == 0)) && exit 0

if ((EUID != 0)); then
    fail "these packages are missing; install them and try again:" \
        "    sudo apt-get install --no-install-recommends ${missing[*]}"
fi
echo "      installing ${#missing[@]} Debian packages with what they need: ${missing[*]}"
install_packages "${missing[@]}"
