#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes each target's seed corpus: inputs that reach into it at once. usage: seeds.py FOLDER

They are made here rather than kept as files so that one can read what they say. What a run finds beside them stays in
.build-fuzz/corpus.
"""

import struct
import sys
from pathlib import Path


def setup(features=0xFFFFFFFF, size_log=4):
    """queue: the driver's initialization."""
    return struct.pack("<BIB", 4, features, size_log)


def descriptor(index, address, length, flags, following=0):
    """queue: one descriptor."""
    return struct.pack("<BBHHBBB", 5, index, address, length, 0, flags, following)


def header(address, kind, sector):
    """queue: a block request's header."""
    return struct.pack("<BHBH", 14, address, kind, sector)


def request(kind, sector, write_data):
    """queue: a whole block request of three descriptors."""
    return (header(0x4000, kind, sector) + descriptor(0, 0x4000, 16, 1, 1)
            + descriptor(1, 0x5000, 512, 3 if write_data else 1, 2) + descriptor(2, 0x6000, 1, 2)
            + bytes([6, 0, 9, 10, 0]))


def queue():
    """Reads, writes, flushes; an indirect table; two data segments; the entropy device; a reset in flight."""
    indirect = (header(0x4000, 0, 1) + descriptor(0x80, 0x4000, 16, 1, 1) + descriptor(0x81, 0x5000, 512, 3, 2)
                + descriptor(0x82, 0x6000, 1, 2) + descriptor(0, 0x1000, 48, 4) + bytes([6, 0, 9, 10, 0]))
    split = (header(0x4000, 1, 7) + descriptor(0, 0x4000, 16, 1, 1) + descriptor(1, 0x5000, 256, 1, 2)
             + descriptor(2, 0x5200, 256, 1, 3) + descriptor(3, 0x6000, 1, 2) + bytes([6, 0, 9, 10, 0]))
    entropy = descriptor(0, 0x5000, 64, 2) + bytes([6, 0, 9])
    return {
        "read": b"\0" + setup() + request(0, 3, True),
        "write": b"\0" + setup() + request(1, 9, False),
        "flush": b"\0" + setup() + request(4, 0, False),
        "identify": b"\0" + setup() + request(8, 0, True),
        "discard": b"\0" + setup() + request(11, 0, False),
        "read-only": b"\2" + setup() + request(1, 0, False),
        "no-features": b"\0" + setup(0) + request(0, 3, True) + request(1, 3, False),
        "indirect": b"\0" + setup() + indirect,
        "split": b"\0" + setup() + split,
        "reset-in-flight": b"\0" + setup() + request(0, 3, True)[:-2] + bytes([15]) + setup() + request(0, 3, True),
        "entropy": b"\1" + setup() + entropy * 3,
        "registers": b"\0" + b"".join(bytes([1, offset]) for offset in range(0, 256, 4)),
    }


def gdb():
    """What gdb sends on connecting and afterwards."""
    return {
        "connect": b"qSupported:multiprocess+;swbreak+;hwbreak+\nvMustReplyEmpty\nQStartNoAckMode\nHg0\n"
                   b"qXfer:features:read:target.xml:0,ffb\nqTStatus\n?\nqfThreadInfo\nqsThreadInfo\nqAttached:1\nHc-1\n"
                   b"qC\ng\nqThreadExtraInfo,1\nvCont?\n",
        "memory": b"m80000000,40\nM80000010,4:11223344\nX80000020,4:abcd\nm7ffffffe,8\np20\nP20=0000008000000000\n",
        "points": b"Z0,80000000,4\nZ1,80000004,4\nZ2,80000100,4\nZ3,80000104,4\nZ4,80000108,8\nz0,80000000,4\n",
        "run": b"vCont;c:1;s:2\n\x01\x01\nvCont;s:1\n\x01\x00\nc\n\x01\x82\ns80000000\n\x01\x04\nvCtrlC\nD\n",
        "raw": b"\x00$g#67+\n\x00$m0,10#2a-\n\x00\x03\n\x00$qRcmd,68656c70#fc\n\x00}}##$$\n",
        "monitor": b"qRcmd,68656c70\nH12\nT1\nT2\nk\n",
    }


def agent():
    """A session: welcome, commands, output, credit, ends of each kind; a mess before the welcome."""
    start = bytes([1, 5, 1, 97])
    started = struct.pack("<BBBI", 3, 2, 1, 4711)
    output = struct.pack("<BBBB5s", 2, 3, 1, 5, b"hello")
    credit = struct.pack("<BBBI", 3, 6, 1, 600)
    return {
        "code": start + started + output + bytes([4, 1, 0, 7]),
        "signal": start + started + bytes([4, 1, 1, 9]),
        "not-started": start + bytes([4, 1, 2, 2]),
        "stdin": start + started + bytes([6, 0, 10]) + credit + bytes([7, 0, 8, 0, 15]),
        "mess": bytes([0, 9]) + b"login: \r\n" + start + started,
        "flood": start + started + bytes([10, 0, 1]) * 4 + bytes([11, 0]) + bytes([10, 1, 1]) * 17,
        "ping": bytes([1, 9]) + struct.pack("<BBBB3I", 2, 9, 0, 12, 7, 0, 2),
        "two": start + bytes([5, 1, 98]) + bytes([4, 2, 0, 0, 4, 1, 0, 1]),
    }


TARGETS = {"agent": agent, "gdb": gdb, "queue": queue}


def main():
    """Writes FOLDER/TARGET/SEED."""
    if len(sys.argv) != 2:
        sys.exit("usage: seeds.py FOLDER")
    for target, make in TARGETS.items():
        folder = Path(sys.argv[1], target)
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in make().items():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
