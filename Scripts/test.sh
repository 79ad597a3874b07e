#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# All tests, the boots of real kernels among them. usage: test.sh [ARGUMENT-OF-SWIFT-TEST…]
# One configuration serves both: release, as an interpreter that boots Linux is too slow without the optimizer.
source "$(dirname "$0")/common.sh"

steps=3
begin "host packages"
Scripts/setup.sh test
finish "host ready"

begin "building apus and the tests (release)"
Scripts/build.sh
swift build -c release --build-tests --quiet
finish "built"

begin "testing"
# The boots drive the program, through this; they are skipped where it is not set (plain 'swift test').
APUS_EXECUTABLE="$(swift build -c release --show-bin-path)/apus"
export APUS_EXECUTABLE
exec swift test -c release --skip-build --disable-xctest "$@"
