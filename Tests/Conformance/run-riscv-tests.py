#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every ELF program of a folder as a bare machine and counts who ends with status 0.

usage: run-riscv-tests.py FOLDER [--apus PROGRAM | --command 'WORDS {}'] [--jobs N] [--timeout S] [--only PREFIX]

A program of the riscv-tests suite stores 1 to `tohost` when it passes, which ends the VM with status 0; a failing one
stores twice its test's number plus one, which ends it with that number. docs/conformance.md says where they come from.
"""

import argparse
import concurrent.futures
import os
import re
import shlex
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description="Runs bare RISC-V programs and counts who passes.")
    parser.add_argument("folder", type=Path, help="where the ELF programs are")
    parser.add_argument("--apus", default=os.environ.get("APUS_EXECUTABLE", ".build/release/apus"))
    parser.add_argument("--command", help="another machine, {} standing for the program")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--timeout", type=float, default=60, help="seconds for one program")
    parser.add_argument("--only", default="", help="the programs whose names begin so")
    return parser.parse_args()


def programs(folder, prefix):
    """The ELF files of `folder`, sorted."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name.startswith(prefix):
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    found.append(path)
    return found


def run(command, path, timeout):
    """One program: its name, None or what went wrong, and the seconds it took."""
    words = [word.replace("{}", str(path)) for word in command]
    began = time.monotonic()
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout)
    except subprocess.TimeoutExpired:
        return path.name, f"no end after {timeout:g} s", time.monotonic() - began
    seconds = time.monotonic() - began
    if done.returncode == 0:
        return path.name, None, seconds
    said = done.stdout.decode("utf-8", "replace").strip().splitlines()
    remark = f": {said[-1][:200]}" if said else ""
    return path.name, f"status {done.returncode}{remark}", seconds


def main():
    """Prints the failures and the counts; 1 if anything failed, 2 if nothing could be run."""
    options = arguments()
    if not options.folder.is_dir():
        print(f"error: {options.folder} is no folder: see docs/conformance.md for how to get the programs")
        return 2
    found = programs(options.folder, options.only)
    if not found:
        print(f"error: {options.folder} holds no ELF program whose name begins with '{options.only}'")
        return 2
    command = shlex.split(options.command) if options.command else [
        options.apus, "run", "--platform", "riscv64", "--firmware", "none", "--kernel", "{}"]
    passed, failed = Counter(), Counter()
    began = time.monotonic()
    try:
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for name, wrong, seconds in pool.map(lambda path: run(command, path, options.timeout), found):
                group = re.match(r"[^-]*(?:-[pv](?=-))?", name).group(0)
                if wrong is None:
                    passed[group] += 1
                else:
                    failed[group] += 1
                    print(f"FAILED {name}: {wrong} ({seconds:.1f} s)", flush=True)
    except FileNotFoundError:
        print(f"error: there is no program '{command[0]}': build it with 'make build', or name one with --apus")
        return 2
    for group in sorted(passed | failed):
        print(f"{group:16} {passed[group]:4} passed {failed[group]:4} failed")
    print(f"{passed.total()} passed, {failed.total()} failed in {time.monotonic() - began:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
