#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds apus and apus-net for speed, and the guest agent, which is put beside them.
source "$(dirname "$0")/common.sh"

# A first build compiles everything; say so, for it is silent for a while.
[[ -d .build/release ]] || echo "      the first build takes about five minutes on two cores; later ones take seconds"
swift build -c release --product apus --quiet
swift build -c release --product apus-net --quiet

if [[ -f Guest/agent/Makefile ]]; then
    make -s -C Guest/agent
    agent=Guest/agent/build/apus-agent-riscv64
    beside=$(swift build -c release --show-bin-path)/apus-agent-riscv64
    cmp -s "$agent" "$beside" || install -m 755 "$agent" "$beside"
fi
