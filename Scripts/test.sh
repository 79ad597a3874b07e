#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# All tests, the boots of real kernels among them. usage: test.sh [ARGUMENT-OF-SWIFT-TEST…]
source "$(dirname "$0")/common.sh"

steps=4
begin "host packages"
Scripts/setup.sh test
finish "host ready"

begin "building apus and the tests (release)"
Scripts/build.sh --tests
finish "built"

begin "the guest image that the boots use"
apus=.build-test/release/apus
if "$apus" image list | grep -qE '^debian-micro +riscv64 +built' ||
    "$apus" image build debian-micro --platform riscv64; then
    finish "image ready"
else
    finish "no image: the boots of Debian will say that they are skipped"
fi

begin "testing"
# The boots drive the program, through this; they are skipped where it is not set (plain 'swift test').
APUS_EXECUTABLE=$PWD/.build-test/release/apus
export APUS_EXECUTABLE
# Tests that run machines starve one another where all run at once: no more than a few do.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=${SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH:-6}
exec swift test -c release --scratch-path .build-test -Xswiftc -enable-testing --skip-build --disable-xctest "$@"
