#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Apus and QEMU side by side: the same guest in turn, medians, ratios. README.md says how and why.

usage: run.py --kernel FILE [--apus PROGRAM] [--qemu PROGRAM]… [--runs N] [--only NAME|CLASS]… [--quick] [--json FILE]
Ends with 1 if a checksum is wrong, a clock lies, a run fails or a limit is passed; with 2 if it could not begin.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import report
from sides import RunFailed, apus_side, line_for, native_side, qemu_side, run_once

HERE = Path(__file__).resolve().parent
QUICK = report.CLASSES["integer"]


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description="Runs the benchmark under Apus and QEMU in turn.")
    parser.add_argument("--kernel", help="Debian trixie's riscv64 kernel, an Image file")
    parser.add_argument("--apus", default=os.environ.get("APUS_EXECUTABLE", ".build/release/apus"))
    parser.add_argument("--qemu", action="append", help="a QEMU to compare with; may be repeated")
    parser.add_argument("--no-apus", action="store_true", help="QEMU alone: the first against the others")
    parser.add_argument("--runs", type=int, default=5, help="runs on every side (5)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a benchmark or a class")
    parser.add_argument("--quick", action="store_true", help="one run of the integer class: a smoke test, no figures")
    parser.add_argument("--append", default="", help="words for the kernel's command line on every side")
    parser.add_argument("--no-native", action="store_true", help="leave the host itself out")
    parser.add_argument("--timeout", type=float, default=3600, help="seconds for one run")
    parser.add_argument("--limit", action="append", default=[], metavar="ROW=RATIO",
                        help="fail if a class, a row or 'time to init' is slower than so many times QEMU")
    parser.add_argument("--json", type=Path, help="write everything there too")
    parser.add_argument("--build", type=Path, default=HERE / "build", help="where the guest's files are built")
    return parser.parse_args()


def choose(only, quick):
    """The benchmarks to run, empty for all."""
    if quick and not only:
        return QUICK
    chosen = []
    for word in only:
        names = report.CLASSES.get(word, [word])
        if not set(names) <= set(report.NAMES):
            sys.exit(f"error: there is no benchmark or class '{word}'; classes: {', '.join(report.CLASSES)}; "
                     f"benchmarks: {', '.join(report.NAMES)}")
        chosen += names
    return chosen


def find_kernel(given):
    """The kernel file: as given, or the newest that `apus image build debian-micro` left in the data folder."""
    if given:
        if not Path(given).is_file():
            sys.exit(f"error: there is no kernel '{given}'")
        return given
    data = os.environ.get("APUS_HOME") or Path(
        os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share", "apus")
    found = [p for p in Path(data).rglob("*") if p.name in ("kernel", "Image") or p.name.startswith("vmlinu")]
    found = [p for p in found if p.is_file() and "riscv64" in str(p)]
    if not found:
        sys.exit(f"error: no riscv64 kernel under {data}: run 'apus image build debian-micro --platform riscv64', "
                 "or name one with --kernel")
    return str(max(found, key=lambda p: p.stat().st_mtime))


def find_qemus(given):
    """The QEMUs to compare with, as name -> program."""
    programs = given or ["qemu-system-riscv64"]
    for program in programs:
        if not shutil.which(program):
            sys.exit(f"error: there is no '{program}': install qemu-system-misc (make setup SET=bench), "
                     "or name one with --qemu")
    return {("qemu" if len(programs) == 1 else f"qemu{n}"): p for n, p in enumerate(programs, 1)}


def read_limits(given):
    """ROW=RATIO words as a table."""
    limits = {}
    for word in given:
        row, _, ratio = word.rpartition("=")
        try:
            limits[row] = float(ratio)
        except ValueError:
            sys.exit(f"error: --limit takes ROW=RATIO, not '{word}'")
        if row not in [*report.CLASSES, *report.NAMES, "time to init"]:
            sys.exit(f"error: --limit knows no row '{row}'; classes: {', '.join(report.CLASSES)}")
    return limits


def processor():
    """The host's CPU and how many of them."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return f"{line.split(':', 1)[1].strip()}, {os.cpu_count()} of them"
    return f"unknown CPU, {os.cpu_count()} of them"


def commit():
    """The commit that is measured, with a mark where the sources differ from it."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"], cwd=HERE, capture_output=True, text=True)
    return said.stdout.strip() or "unknown"


def build_guest(folder):
    """Builds the benchmark; make does nothing where it is built."""
    made = subprocess.run(["make", "-s", "-C", str(HERE), f"OUT={folder.resolve()}"], capture_output=True, text=True)
    if made.returncode != 0:
        sys.exit(f"error: the guest's benchmark does not build\n{made.stdout}{made.stderr}")


def make_sides(options, chosen):
    """The sides in the order of turns: ours first."""
    kernel, initrd = find_kernel(options.kernel), str(options.build / "bench-riscv64.cpio.gz")
    line = line_for(chosen, options.append)
    sides = []
    if not options.no_apus:
        if not shutil.which(options.apus):
            sys.exit(f"error: there is no '{options.apus}': build it with 'make build', or name one with --apus")
        sides.append(apus_side(options.apus, kernel, initrd, line))
    qemus = find_qemus(options.qemu)
    if options.no_apus and len(qemus) < 2:
        sys.exit("error: without Apus there must be two --qemu to compare")
    sides += [qemu_side(name, program, kernel, initrd, line) for name, program in qemus.items()]
    if not options.no_native:
        sides.append(native_side(str(options.build / "bench-native"), chosen))
    return sides


def measure(sides, count, timeout):
    """Runs every side `count` times in turn; side -> runs."""
    runs = {side.name: [] for side in sides}
    for turn in range(1, count + 1):
        for side in sides:
            run = run_once(side, timeout)
            runs[side.name].append(run)
            init = "" if side.native else f"init after {run.init:.2f} s, "
            print(f"run {turn} of {count}, {side.name}: {init}{run.wall:.1f} s wall, {run.cpu:.1f} s CPU", flush=True)
    return runs


def passed_limits(limits, by_row):
    """Sentences about ratios past their limits, or that were not measured."""
    measured = by_row | report.class_means(by_row)
    for row, limit in limits.items():
        if row not in measured:
            yield f"{row} was not measured, and has a limit"
        elif measured[row] > limit:
            yield f"{row} is {measured[row]:.2f} times QEMU's, over the limit of {limit:g}"


def write_json(path, sides, runs, table, by_row, problems):
    """Everything, for a program to read."""
    path.write_text(json.dumps({
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "commit": commit(), "cpu": processor(),
        "sides": [{"name": s.name, "version": s.version, "command": s.command} for s in sides],
        "figures": table, "ratios": by_row, "classes": report.class_means(by_row), "problems": problems,
        "runs": {name: [vars(run) for run in several] for name, several in runs.items()},
    }, indent=2) + "\n")


def main():
    """Measures and reports."""
    options = arguments()
    chosen, limits = choose(options.only, options.quick), read_limits(options.limit)
    count = 1 if options.quick else options.runs
    if count < 1:
        sys.exit("error: --runs takes a number from 1")
    build_guest(options.build)
    sides = make_sides(options, chosen)
    print(f"date     {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}, commit {commit()}")
    print(f"cpu      {processor()}")
    for side in sides:
        print(f"{side.name:8} {side.version}\n         $ {side.shown()}")
    runs = measure(sides, count, options.timeout)

    guests = [side.name for side in sides if not side.native]
    ours, others = guests[0], guests[1:]
    table = report.figures(runs)
    by_row = report.ratios(table, ours, others)
    for name in guests:
        print(f"{name:8} mitigations: {report.mitigations(runs[name][0])}")
    if len({tuple(sorted(runs[name][0].mitigations)) for name in guests}) > 1:
        print("note: mitigations differ: measure with --append mitigations=off too")
    print()
    for line in report.show(table, by_row, ours, others):
        print(line)
    problems = [
        *report.check_sums(runs, others[0]), *report.check_clocks(runs), *passed_limits(limits, by_row)]
    if options.json:
        write_json(options.json, sides, runs, table, by_row, problems)
    print()
    for problem in problems:
        print(f"FAILED {problem}")
    if not problems:
        print(f"checksums equal, clocks agree within {100 * report.CLOCK_TOLERANCE:g} %")
    if count < 5 or chosen:
        print("note: fewer than five runs, or not all benchmarks: a look, no measurement")
    return 1 if problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RunFailed as error:
        print(f"FAILED {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
