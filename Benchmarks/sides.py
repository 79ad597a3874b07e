# SPDX-License-Identifier: Apache-2.0
"""The sides of a benchmark: Apus, each QEMU, and the host itself. A side runs once and tells what it saw."""

import os
import re
import shlex
import subprocess
import threading
import time
from dataclasses import dataclass, field

# On every side: the same line, but for what chooses benchmarks.
KERNEL_LINE = "console=ttyS0 quiet panic=-1"
MEMORY, VCPUS = "1G", 1


class RunFailed(Exception):
    """A run that gives no figures; the sentence says why, with the end of what it printed."""


@dataclass
class Run:
    """One run's figures, in seconds."""

    guest: dict = field(default_factory=dict)       # benchmark -> as the guest's clock has it
    host: dict = field(default_factory=dict)        # benchmark -> between console lines, by the host's clock
    sums: dict = field(default_factory=dict)        # benchmark -> checksum, or "-"
    mitigations: list = field(default_factory=list)
    init: float = 0                                 # from the start of the process to INIT-UP
    wall: float = 0
    cpu: float = 0                                  # of the process and its children


@dataclass
class Side:
    """A machine to run the guest on: its name, what it is, and its whole command line."""

    name: str
    version: str
    command: list
    native: bool = False

    def shown(self):
        """The command line as one would type it."""
        return shlex.join(self.command)


def version(program, option="--version"):
    """The first line that the program prints about itself."""
    try:
        said = subprocess.run([program, option], capture_output=True, text=True, timeout=60)
    except OSError as error:
        raise RunFailed(f"cannot run {program}: {error.strerror}") from error
    lines = (said.stdout or said.stderr).strip().splitlines()
    return lines[0] if lines else "unknown version"


def line_for(chosen, more):
    """The kernel's command line with the chosen benchmarks and more words."""
    return " ".join(filter(None, [KERNEL_LINE, f"bench={','.join(chosen)}" if chosen else "", more]))


def apus_side(program, kernel, initrd, line):
    """Apus with nothing attached but the console, on its interpreter."""
    return Side("apus", version(program), [
        program, "run", "--platform", "riscv64", "--cpus", str(VCPUS), "--memory", MEMORY, "--net", "none",
        "--kernel", kernel, "--initrd", initrd, "--append", line])


def qemu_side(name, program, kernel, initrd, line):
    """QEMU's translator, the same machine; `-cpu max` where this version has it."""
    models = subprocess.run([program, "-M", "virt", "-cpu", "help"], capture_output=True, text=True).stdout.split()
    return Side(name, version(program), [
        program, "-M", "virt", "-accel", "tcg", "-cpu", "max" if "max" in models else "rv64", "-smp", str(VCPUS),
        "-m", MEMORY, "-display", "none", "-monitor", "none", "-serial", "stdio", "-nic", "none", "-no-reboot",
        "-kernel", kernel, "-initrd", initrd, "-append", line])


def native_side(program, chosen):
    """The same source on the host."""
    return Side("native", "this host", [program, *chosen], native=True)


class Reader:
    """Stamps a run's lines as they arrive and sorts them into figures."""

    def __init__(self, began):
        self.run = Run()
        self.lines = []
        self.done = False
        self._began = self._last = began

    def take(self, line, stamp):
        """One line of output, which ended at `stamp`."""
        self.lines.append(line)
        # The console may carry a kernel's message before ours on the same line.
        if re.search(r"INIT-UP \d", line):
            self.run.init, self._last = stamp - self._began, stamp
        elif match := re.search(r"BENCH (\w+) ([\d.]+) ([0-9a-f]+|-)$", line):
            name, seconds, checksum = match.groups()
            self.run.guest[name], self.run.sums[name] = float(seconds), checksum
            self.run.host[name], self._last = stamp - self._last, stamp
        elif match := re.search(r"VULNERABILITY (.*)$", line):
            self.run.mitigations.append(match.group(1))
        elif "ALL-DONE" in line:
            self.done = True


def run_once(side, timeout):
    """Runs the side to its end. Raises RunFailed if it fails, stalls, or ends before it is done."""
    began = time.monotonic()
    try:
        process = subprocess.Popen(
            side.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError as error:
        raise RunFailed(f"cannot run {side.command[0]}: {error.strerror}") from error
    stalled = threading.Event()

    def give_up():
        stalled.set()
        process.kill()

    clock = threading.Timer(timeout, give_up)
    clock.start()
    reader = Reader(began)
    try:
        for line in process.stdout:
            reader.take(line.decode("utf-8", "replace").rstrip("\r\n"), time.monotonic())
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        process.kill()
        raise
    finally:
        clock.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    run = reader.run
    run.wall, run.cpu = time.monotonic() - began, usage.ru_utime + usage.ru_stime
    if stalled.is_set():
        raise failure(side, f"did not end within {timeout:g} s", reader.lines)
    if process.returncode != 0:
        raise failure(side, f"ended with status {process.returncode}", reader.lines)
    if not side.native and not reader.done:
        raise failure(side, "ended before ALL-DONE", reader.lines)
    return run


def failure(side, sentence, lines):
    """What went wrong, with the last lines."""
    tail = "\n".join(f"    | {line}" for line in lines[-15:])
    return RunFailed(f"{side.name} {sentence}\n    $ {side.shown()}\n{tail}")
