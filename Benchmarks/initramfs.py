#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packs one program as the init of an initramfs. usage: initramfs.py PROGRAM OUTPUT.cpio.gz

The archive is cpio's "newc", as the kernel's Documentation/driver-api/early-userspace/buffer-format.rst describes it.
Written here, it needs neither root, which a device node in a folder would, nor a time stamp: the same program gives
the same bytes.
"""

import gzip
import sys
from pathlib import Path

DIRECTORY, REGULAR, CHARACTER = 0o040000, 0o100000, 0o020000


def entry(inode, name, mode, data=b"", device=(0, 0)):
    """One member: the header's thirteen fields in hexadecimal, the name and the data, each padded to four bytes."""
    encoded = name.encode() + b"\0"
    fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return pad(header + encoded) + pad(data)


def pad(data):
    """`data` with zeros up to a multiple of four."""
    return data + bytes(-len(data) % 4)


def archive(program):
    """The whole archive with `program` as /init."""
    members = [
        ("dev", DIRECTORY | 0o755, b"", (0, 0)),
        ("dev/console", CHARACTER | 0o600, b"", (5, 1)),
        ("init", REGULAR | 0o755, program, (0, 0)),
    ]
    packed = b"".join(
        entry(number, name, mode, data, device) for number, (name, mode, data, device) in enumerate(members, 1))
    return packed + entry(0, "TRAILER!!!", 0)


def main():
    """Writes the archive, compressed."""
    if len(sys.argv) != 3:
        sys.exit("usage: initramfs.py PROGRAM OUTPUT.cpio.gz")
    packed = archive(Path(sys.argv[1]).read_bytes())
    Path(sys.argv[2]).write_bytes(gzip.compress(packed, 6, mtime=0))


if __name__ == "__main__":
    main()
