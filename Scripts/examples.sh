#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds the packages of Examples/ against this clone and runs them: each boots a guest, whose words are checked.
# Nothing is compiled twice: the example is built in the tests' folder with the tests' flags, so that it finds there what
# the tests have of Apus, or leaves there what they will find. Other flags or another folder would compile everything
# again.
source "$(dirname "$0")/common.sh"

steps=4
begin "host packages"
Scripts/setup.sh test
finish "host ready"

begin "building apus and the tests (release)"
Scripts/build.sh --tests
finish "built"

begin "building Examples/BootLinux against this clone"
folder=$PWD/.build-test
swift build --package-path Examples/BootLinux --scratch-path "$folder" -c release -Xswiftc -enable-testing --quiet
finish "built"

begin "booting Debian from it"
apus=$folder/release/apus
if ! "$apus" image list | grep -qE '^debian-micro +riscv64 +built' &&
    ! "$apus" image build debian-micro --platform riscv64; then
    finish "no image: nothing was booted"
    exit 0
fi
export APUS_EXECUTABLE=$apus
# The guest computes what is looked for: an echo of the input would not have it.
# shellcheck disable=SC2016
said=$(printf 'echo the answer is $((6 * 7))\npoweroff\n' | timeout 300 "$folder/release/BootLinux" 2>&1) ||
    { printf '%s\n' "$said" >&2; fail "Examples/BootLinux did not end with the guest's status 0"; }
[[ $said == *"the answer is 42"* ]] ||
    { printf '%s\n' "$said" >&2; fail "Examples/BootLinux did not show what the guest wrote"; }
finish "the guest answered"
