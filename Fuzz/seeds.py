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
    receive = bytes([16, 0]) + descriptor(0, 0x5000, 1526, 2) + bytes([6, 0])
    whole = b"".join(bytes([19, kind, sector, segments]) for kind, sector, segments in [(0, 3, 1), (1, 5, 1), (0, 1, 3)])
    send = bytes([16, 1]) + descriptor(0, 0x6000, 100, 1) + bytes([6, 0, 9])
    pages = b"".join(struct.pack("<I", 0x80000 + page) for page in (7, 8, 10))
    inflate = bytes([16, 0]) + struct.pack("<BHB", 3, 0x6000, 12) + pages + descriptor(0, 0x6000, 12, 1)
    told = b"".join(struct.pack("<HQ", tag, 1 << tag) for tag in range(16))
    statistics = bytes([16, 2]) + struct.pack("<BHB", 3, 0x6000, 160) + told + descriptor(0, 0x6000, 160, 1)
    report = bytes([16, 4]) + descriptor(0, 0x5000, 0x2000, 3, 1) + descriptor(1, 0x8000, 0x1000, 2)
    frame = bytes([17, 60]) + bytes(60) + b"\0"
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
        "whole": b"\0" + setup(0xFFFFFFFF, 7) + whole + bytes([10, 0, 10, 0, 9]) + whole + bytes([12]) + setup(0xFFFFFFFF, 7) + whole,
        "entropy": b"\1" + setup() + entropy * 3,
        "network": b"\3" + setup() + receive + frame + send + bytes([18, 1]) + frame,
        "network-no-merge": b"\3" + setup(0x20) + receive + frame + send,
        "console": b"\4" + setup() + receive + bytes([17, 5]) + b"hello\0" + send + bytes([18, 80, 18, 129]),
        "ports": b"\4" + setup() + b"".join(
            bytes([16, 3]) + struct.pack("<BHB", 3, 0x6000, 8) + struct.pack("<IHH", port, event, 1)
            + descriptor(0, 0x6000, 8, 1) + bytes([6, 0, 9])
            for port, event in [(0xFFFFFFFF, 0), (0, 3), (1, 3), (1, 6)]),
        "balloon": b"\5" + setup() + inflate + bytes([6, 0, 9, 10, 0, 9]) + inflate[:1] + b"\1"
        + descriptor(0, 0x6000, 12, 1) + bytes([6, 0, 9, 10, 0]),
        "balloon-statistics": b"\5" + setup() + (statistics + bytes([6, 0, 18, 1, 9])) * 2,
        "balloon-report": b"\5" + setup(0x24 | 1 << 28) + report + bytes([6, 0, 9, 18, 2, 10, 0, 18, 3, 12]),
        "registers": b"\0" + b"".join(bytes([1, offset]) for offset in range(0, 256, 4)),
    }


def fwcfg():
    """Selections, reads and transfers."""
    def transfer(place, control, length, address):
        return struct.pack("<BHIBHBH", 2, place + 64, control, 0, length, 1, address + 64)

    def select(number):
        return struct.pack("<BH", 0, number)

    return {
        "signature": select(0) + bytes([1, 4]),
        "item": select(0x15) + bytes([1, 20]),
        "file": transfer(0, 0x20 << 16 | 0xA, 100, 512),
        "padded": transfer(0, 0x20 << 16 | 0xA, 200, 512) + transfer(16, 0x21 << 16 | 0xA, 4000, 1024),
        "parts": select(0x21) + transfer(0, 2, 8, 512) + transfer(0, 4, 8, 0) + transfer(0, 2, 8, 520),
        "write": transfer(0, 0x20 << 16 | 0x18, 4, 512),
        "over itself": transfer(32, 0x21 << 16 | 0xA, 64, 16),
        "stray": struct.pack("<BBBQ", 3, 1, 7, 0x1234),
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
        "two": start + bytes([5, 1, 98]) + bytes([4, 2, 0, 1, 4, 1, 0, 1]),
    }


def segment(offset, address, file_size, memory_size, flags=5, kind=1):
    """elf: one program header."""
    return struct.pack("<IIQQQQQQ", kind, flags, offset, address, address, file_size, memory_size, 4096)


def program(segments, symbols=(), kind=2, machine=243, entry=0x80000000):
    """elf: a whole file: header, program headers, code, symbols, strings, section headers."""
    strings, entries = b"\0", b"\0" * 24
    for name, value in symbols:
        entries += struct.pack("<IBBHQQ", len(strings), 0x11, 0, 1, value, 8)
        strings += name + b"\0"
    headers = b"".join(segments)
    code = b"\x13\0\0\0" * 8
    table = 64 + len(headers) + len(code)
    sections = table + len(entries) + len(strings)
    section = struct.Struct("<IIQQQQIIQQ")
    header = b"\x7fELF\2\1\1" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", kind, machine, 1, entry, 64, sections if symbols else 0, 5, 64, 56, len(segments), 64,
        3 if symbols else 0, 2)
    tail = section.pack(*[0] * 10) + section.pack(1, 2, 0, 0, table, len(entries), 2, 1, 8, 24) + section.pack(
        9, 3, 0, 0, table + len(entries), len(strings), 0, 0, 1, 0)
    return header + headers + code + (entries + strings + tail if symbols else b"")


def elf():
    """Programs with one and two segments, with and without symbols, for any address, and for another machine."""
    one = segment(120, 0x80000000, 32, 4096)
    return {
        "one": program([one]),
        "two": program([one, segment(120, 0x80001000, 16, 64, 6)]),
        "symbols": program([one], [(b"tohost", 0x80000100), (b"fromhost", 0x80000140)]),
        "one-symbol": program([one, segment(0, 0, 0, 0, 6, 0x6474E551)], [(b"tohost", 0x80000100)]),
        "anywhere": program([segment(120, 0, 32, 32)], kind=3, entry=0),
        "x86": program([one], machine=62),
        "empty": program([]),
    }


def image():
    """Headers of each generation, and what is compressed."""
    def header(offset, size, flags=0, magic2=b"RSC\x05", legacy=b"RISCV\0\0\0"):
        return struct.pack("<IIQQQIIQ8s4sI", 0x5A4D, 0, offset, size, flags, 2, 0, 0, legacy, magic2, 0)

    return {
        "image": header(0x200000, 0x1000000),
        "page": header(0x1000, 0x2000) + bytes(512),
        "legacy": header(0, 0, magic2=bytes(4)),
        "big-endian": header(0x200000, 4096, flags=1),
        "zboot": b"MZ\0\0zimg" + bytes(56),
        "gzip": b"\x1f\x8b\x08" + bytes(20),
    }


def bzimage():
    """Setup headers: of today's kernels, of one that is entered in 32 bits and cannot be moved, and of old ones."""
    def header(version=0x20F, flags=1, movable=1, preferred=0x1000000, load_flags=1, end=0x6A):
        file = bytearray(0x600)
        struct.pack_into("<B", file, 0x1F1, 2)
        struct.pack_into("<HBB4sH", file, 0x1FE, 0xAA55, 0xEB, end, b"HdrS", version)
        file[0x211] = load_flags
        struct.pack_into("<IIBBHI", file, 0x22C, 0x7FFFFFFF, 0x200000, movable, 21, flags, 2047)
        struct.pack_into("<QI", file, 0x258, preferred, 0x3378000)
        return bytes(file) + b"\0\x40"

    return {
        "today": header(),
        "fixed": header(flags=0, movable=0, preferred=0x100000),
        "low": header(preferred=0x200000),
        "old": header(version=0x206),
        "zimage": header(load_flags=0),
        "short": header(end=0x20),
    }


def multiboot():
    """Headers at the start and further on, with and without addresses."""
    def header(flags, *fields):
        return struct.pack(f"<{3 + len(fields)}I", 0x1BADB002, flags, -(0x1BADB002 + flags) & 0xFFFFFFFF, *fields)

    flat = header(1 << 16, 0x100000, 0x100000, 0, 0x101000, 0x100020)
    return {
        "plain": header(0),
        "behind": bytes(512) + header(1),
        "flat": flat + bytes(64),
        "aligned": header(1 << 16 | 1, 0x100000, 0x100000, 0x100040, 0x102000, 0x100020) + bytes(64),
        "whole": bytes(32) + header(1 << 16, 0x100020, 0x100000, 0, 0, 0x100000) + bytes(64),
        "video": header(4, 0, 0, 0, 0, 0, 0, 1024, 768, 32),
    }


def pvh():
    """Programs of both classes with a note, with others before it, and with none."""
    def note(owner, kind, text):
        return struct.pack("<III", len(owner), len(text), kind) + b"".join(
            part + bytes(-len(part) % 4) for part in (owner, text))

    entry = note(b"Xen\0", 18, struct.pack("<I", 0x100000))

    def wide(notes):
        load = struct.pack("<IIQQQQQQ", 1, 5, 176, 0xFFFFFFFF80100000, 0x100000, 16, 4096, 4096)
        notes_header = struct.pack("<IIQQQQQQ", 4, 4, 192, 0, 0, len(notes), len(notes), 4)
        header = b"\x7fELF\2\1\1" + bytes(9) + struct.pack(
            "<HHIQQQIHHHHHH", 2, 62, 1, 0xFFFFFFFF80100000, 64, 0, 0, 64, 56, 2, 0, 0, 0)
        return header + load + notes_header + bytes(16) + notes

    def narrow(notes):
        load = struct.pack("<8I", 1, 116, 0x200000, 0x200000, 16, 4096, 5, 4096)
        notes_header = struct.pack("<8I", 4, 132, 0, 0, len(notes), len(notes), 4, 4)
        header = b"\x7fELF\1\1\1" + bytes(9) + struct.pack(
            "<HHIIIIIHHHHHH", 2, 3, 1, 0x200000, 52, 0, 0, 52, 32, 2, 0, 0, 0)
        return header + load + notes_header + bytes(16) + notes

    return {
        "wide": wide(entry),
        "wide-64": wide(note(b"Xen\0", 18, struct.pack("<Q", 0x100000))),
        "others": wide(note(b"GNU\0", 3, bytes(20)) + entry),
        "narrow": narrow(entry),
        "none": narrow(note(b"GNU\0", 3, bytes(20))),
        "riscv": program([segment(120, 0x80000000, 32, 4096)]),
    }


def decoder():
    """Instructions of each kind, 32 and 16 bits wide."""
    def words(*values):
        return struct.pack(f"<{len(values)}I", *values)

    return {
        "integer": words(0x00150513, 0x00B50633, 0x02A58633, 0x40B50733, 0x00C59613, 0x0000B637, 0x00000617),
        "memory": words(0x00053603, 0x00C53423, 0x00C50023, 0x00154603, 0x0010A023),
        "branches": words(0x00000463, 0x00150513, 0x00B51463, 0x0080006F, 0x00000013, 0x00000013),
        "atomics": words(0x1005262F, 0x18C5262F, 0x00C5262F, 0x40C5362F),
        "system": words(0x30002573, 0x30051073, 0xC0102573, 0xC0002573, 0x0000000F, 0x0000100F, 0x12000073),
        "to-supervisor": words(0x000025B7, 0x8005859B, 0x30059073, 0x34131073),
        "return": words(0x00000297, 0x01028293, 0x34129073, 0x30200073, 0x00150513),
        "sv39": words(0x0080059B, 0x03C59593, 0x00C5E5B3, 0x18059073, 0x12000073),
        "bits": words(0x60051513, 0x20B52533, 0x0AB51533, 0x48B51533, 0x28B51533, 0x6B855513),
        "float": words(0x00302073, 0x02B50553, 0x1AB57553, 0x5A057553, 0xC2257553, 0x02A5F543, 0x04B50553),
        "compressed": struct.pack("<8H", 0x0505, 0x852E, 0x4108, 0xC10C, 0x6108, 0x0001, 0x8D0D, 0xA001),
        "zic": words(0x0100000F, 0x0045200F, 0x0015200F, 0x0E05D533, 0x00D00073),
    }


def control():
    """Each command, a console, a command's streams, and what is refused."""
    hello = bytes([2])

    def command(text):
        return bytes([3, 7]) + text.encode() + b"\n"

    def frame(kind, payload):
        return bytes([7, len(payload)]) + payload + bytes([kind])

    plain = ["status", "vcpus", "statistics", "pause", "resume", "reset", "powerOff", "quit", "help", "subscribe",
             "consoleTail", "start", "detach"]
    words = hello + b"".join(command('{"%s":{}}' % word) + bytes([4, 0]) for word in plain)
    execute = command('{"exec":{"arguments":["cat","-"],"environment":["A=b"]}}')
    return {
        "words": b"\0" + words,
        "owner": b"\1" + words + command('{"end":{"cause":{"signal":15},"graceSeconds":10}}'),
        "values": b"\0" + hello + command('{"registers":{"vcpu":0}}') + command('{"stop":{"graceSeconds":5}}')
        + command('{"awaitAgent":{"seconds":1}}') + command('{"resize":{"columns":80,"rows":24}}'),
        "console": b"\0" + hello + command('{"attach":{"replay":true}}') + bytes([5, 0, 1, 5]) + b"hello",
        "exec": b"\0" + hello + execute + bytes([6, 0]) + frame(1, b"text") + frame(2, b"") + frame(3, bytes([9, 0, 0, 0]))
        + frame(4, bytes([1, 4, 0, 0, 0])),
        "exec-network": b"\0" + hello + command('{"exec":{"arguments":["ls"],"waitsForNetwork":true}}') + bytes([6, 0]),
        "well-formed": b"\0" + hello + b"".join(bytes([10, 7, kind, 1, 0, 0, 0]) for kind in (1, 5, 6, 7, 8, 9))
        + bytes([10, 8, 3, 0x0A]) + b"cat\0-\0A=b\0" + bytes([6, 0]),
        "refused": b"\0" + command('{"status":{}}'),
        "version": b"\0" + bytes([0]) + b'{"id":1,"command":{"hello":{"version":9}}}\n',
        "too-long": b"\0" + hello + bytes([8, 0x20, 0xFF, 0xFF, 8, 0x20, 0xFF, 0xFF]),
        "events": b"\0" + hello + command('{"subscribe":{}}') + bytes([4, 0, 9, 5]) + b"panic",
    }


def words():
    """What libFuzzer may put into a line: words of the protocol, each with what makes it a whole part of one."""
    commands = ["status", "vcpus", "statistics", "registers", "pause", "resume", "reset", "powerOff", "stop", "quit",
                "help", "subscribe", "attach", "detach", "exec", "awaitAgent", "resize", "end", "start"]
    fields = ['"arguments":["a","b"]', '"waitsForNetwork":true', '"environment":["A=b"]', '"vcpu":0', '"version":1',
              '"graceSeconds":1', '"seconds":1', '"columns":80', '"rows":24', '"replay":true']
    return ['"%s":{}' % name for name in commands] + [field + "," for field in fields] + fields


TARGETS = {
    "agent": agent, "bzimage": bzimage, "control": control, "decoder": decoder, "elf": elf, "fwcfg": fwcfg, "gdb": gdb,
    "image": image, "multiboot": multiboot, "pvh": pvh, "queue": queue,
}
DICTIONARIES = {"control": words}


def main():
    """Writes FOLDER/TARGET/SEED, and FOLDER/TARGET.dict where a target has words of its own."""
    if len(sys.argv) != 2:
        sys.exit("usage: seeds.py FOLDER")
    for target, make in TARGETS.items():
        folder = Path(sys.argv[1], target)
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in make().items():
            (folder / name).write_bytes(content)
    for target, make in DICTIONARIES.items():
        entries = ['"%s"' % word.replace("\\", "\\\\").replace('"', '\\"') for word in make()]
        Path(sys.argv[1], target + ".dict").write_text("\n".join(entries) + "\n")


if __name__ == "__main__":
    main()
