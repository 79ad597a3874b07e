#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds apus and apus-net for speed, and the guest agents, which are put beside them. usage: build.sh [--tests]
# The product has Swift's runtime inside: it starts in a fraction of the time, and runs where no Swift is.
# With --tests it builds the tests too, apart from the product in .build-test: tests reach internal declarations, which
# costs optimization. One configuration serves unit tests and boots, as no other boots Linux in bearable time.
source "$(dirname "$0")/common.sh"

options=(-c release)
folder=.build
if [[ ${1:-} == --tests ]]; then
    folder=.build-test
    options+=(--scratch-path "$folder" --build-tests -Xswiftc -enable-testing)
fi

# A first build compiles everything; say so, for it is silent for a while.
[[ -d $folder/release ]] || echo "      the first build takes about five minutes on two cores; later ones take seconds"
if [[ $folder == .build ]]; then
    # The linker warns of a function of the C library in a part of Foundation that is never called.
    for product in apus apus-net; do
        swift build "${options[@]}" --static-swift-stdlib --product "$product" --quiet 2>&1 |
            { grep -v "the use of .mktemp. is dangerous" || true; }
    done
else
    swift build "${options[@]}" --quiet
fi

if [[ -f Guest/agent/Makefile ]]; then
    for platform in riscv64 x86_64; do
        make -s -C Guest/agent PLATFORM="$platform"
        agent=Guest/agent/build/apus-agent-$platform
        beside=$folder/release/apus-agent-$platform
        cmp -s "$agent" "$beside" || install -m 755 "$agent" "$beside"
    done
fi
