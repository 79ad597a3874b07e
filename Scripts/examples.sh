#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds the packages of Examples/ against this clone and runs them: each boots a guest, whose words are checked.
# What `make build` compiled is used again: the same sources with the same flags in the same folder.
source "$(dirname "$0")/common.sh"

steps=3
begin "building apus (release)"
Scripts/build.sh
finish "built"

begin "building Examples/BootLinux against this clone"
# The flags are those of Scripts/build.sh: another one would compile everything again.
swift build --package-path Examples/BootLinux --scratch-path "$PWD/.build" -c release --static-swift-stdlib --quiet 2>&1 |
    { grep -v "the use of .mktemp. is dangerous" || true; }
finish "built"

begin "booting Debian from it"
apus=.build/release/apus
"$apus" image list | grep -qE '^debian-micro +riscv64 +built' || "$apus" image build debian-micro --platform riscv64
export APUS_EXECUTABLE=$PWD/$apus
# The guest computes what is looked for: an echo of the input would not have it.
# shellcheck disable=SC2016
said=$(printf 'echo the answer is $((6 * 7))\npoweroff\n' | timeout 300 .build/release/BootLinux 2>&1) ||
    { printf '%s\n' "$said" >&2; fail "Examples/BootLinux did not end with the guest's status 0"; }
[[ $said == *"the answer is 42"* ]] ||
    { printf '%s\n' "$said" >&2; fail "Examples/BootLinux did not show what the guest wrote"; }
finish "the guest answered"
