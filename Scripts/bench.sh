#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Apus and QEMU side by side. usage: bench.sh [ARGUMENT-OF-BENCHMARKS/RUN.PY…]; Benchmarks/README.md says how.
source "$(dirname "$0")/common.sh"

steps=3
begin "host packages"
Scripts/setup.sh bench
finish "host ready"

begin "building apus (release) and the guest's kernel"
Scripts/build.sh
APUS_EXECUTABLE=$PWD/.build/release/apus
export APUS_EXECUTABLE
[[ " $* " == *" --kernel"* ]] || "$APUS_EXECUTABLE" image build debian-micro --platform riscv64
finish "built"

begin "measuring; all benchmarks five times on every side take about an hour"
# What SPECIFICATION.md promises; a part of the benchmarks cannot be held to it.
limits=(--limit integer=8 --limit "time to init=6")
[[ " $* " == *" --only"* ]] && limits=()
exec python3 Benchmarks/run.py "${limits[@]}" "$@"
