#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# All tests, the boots of real kernels among them. usage: test.sh [ARGUMENT-OF-SWIFT-TEST…]
source "$(dirname "$0")/common.sh"

steps=3
begin "host packages"
Scripts/setup.sh test
finish "host ready"

begin "building apus and the tests (release)"
Scripts/build.sh --tests
finish "built"

begin "testing"
# The boots drive the program, through this; they are skipped where it is not set (plain 'swift test').
APUS_EXECUTABLE=$PWD/.build-test/release/apus
export APUS_EXECUTABLE
exec swift test -c release --scratch-path .build-test -Xswiftc -enable-testing --skip-build --disable-xctest "$@"
