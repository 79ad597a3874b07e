#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh clone to a Debian guest's prompt. Each step does nothing where there is nothing to do.
source "$(dirname "$0")/common.sh"

steps=3
begin "host packages"
Scripts/setup.sh run
finish "host ready"

begin "building apus (release)"
Scripts/build.sh
finish "built"

begin "booting Debian for riscv64: leave with 'poweroff' in the guest, or with Ctrl-A X"
# From here on the terminal is the guest's; the image is built first if it is not there.
exec .build/release/apus run debian-micro --platform riscv64
