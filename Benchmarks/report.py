# SPDX-License-Identifier: Apache-2.0
"""What the figures of several runs say: medians, spread, ratios, classes, and whether they may be believed."""

import math
from statistics import median

CLASSES = {
    "integer": ["alu", "sieve", "crc", "qsort"],
    "branch": ["fib", "icall"],
    "floating point": ["matmul", "axpy"],
    "memory": ["memcpy", "bytecpy", "chase32k", "chase64m"],
    "system": ["syscall", "read4k", "pagefault", "fork", "forkexec"],
    "self-modifying": ["smc"],
}
NAMES = [name for names in CLASSES.values() for name in names]
# Their figures leave out their set-up, so the lines' distance says nothing about them.
PARTLY_TIMED = {"chase32k", "chase64m"}
# How far the guest's clock and the host's may differ, over all benchmarks of a run.
CLOCK_TOLERANCE = 0.01
# "No slower" is at least this much of the other's speed.
NO_SLOWER = 0.95


def geometric_mean(values):
    """The mean of ratios."""
    return math.exp(sum(map(math.log, values)) / len(values))


def check_sums(runs, reference):
    """Sentences about checksums that differ from the reference side's, or from run to run on one side."""
    expected = {}
    for run in runs[reference]:
        for name, checksum in run.sums.items():
            expected.setdefault(name, checksum)
    for side, several in runs.items():
        if side == "native":
            # Another architecture: fused multiply-add alone may differ.
            continue
        for number, run in enumerate(several, 1):
            if set(run.sums) != set(expected):
                missing = ", ".join(sorted(set(expected) ^ set(run.sums)))
                yield f"{side}, run {number}: not the same benchmarks as {reference}: {missing}"
            for name, checksum in run.sums.items():
                if checksum != expected.get(name, checksum):
                    yield f"{side}, run {number}: {name} gives {checksum}, {reference} {expected[name]}"


def check_clocks(runs):
    """Sentences about guests whose clock does not agree with the host's."""
    for side, several in runs.items():
        if side == "native":
            continue
        for number, run in enumerate(several, 1):
            names = [name for name in run.guest if name not in PARTLY_TIMED]
            guest, host = sum(run.guest[n] for n in names), sum(run.host[n] for n in names)
            if names and abs(guest - host) > CLOCK_TOLERANCE * host:
                yield (f"{side}, run {number}: the guest's clock says {guest:.3f} s, the host's {host:.3f} s: "
                       f"{100 * (guest / host - 1):+.1f} %")


def mitigations(run):
    """What the guest's kernel said, the states that several share counted together."""
    by_state = {}
    for line in run.mitigations:
        name, _, state = line.partition(": ")
        by_state.setdefault(state, []).append(name)
    return "; ".join(
        f"{len(names)} '{state}'" if len(names) > 3 else f"{', '.join(names)}: {state}"
        for state, names in sorted(by_state.items())) or "the kernel names none"


def figures(runs):
    """side -> row -> {median, low, high, runs}; rows are the benchmarks and 'time to init', 'wall', 'cpu'."""
    table = {}
    for side, several in runs.items():
        rows = {name: [run.guest[name] for run in several] for name in NAMES if name in several[0].guest}
        if side != "native":
            rows["time to init"] = [run.init for run in several]
        rows["wall"] = [run.wall for run in several]
        rows["cpu"] = [run.cpu for run in several]
        table[side] = {
            row: {"median": median(values), "low": min(values), "high": max(values), "runs": len(values)}
            for row, values in rows.items()
        }
    return table


def ratios(table, ours, others):
    """row -> our median over the fastest of the others'; above 1 we lose."""
    result = {}
    for row, figure in table[ours].items():
        rivals = [table[side][row]["median"] for side in others if row in table[side]]
        if rivals:
            result[row] = figure["median"] / min(rivals)
    return result


def class_means(by_row):
    """class -> geometric mean of its rows' ratios; a class whose rows did not all run is left out."""
    return {
        name: geometric_mean([by_row[row] for row in rows])
        for name, rows in CLASSES.items() if all(row in by_row for row in rows)
    }


def seconds(figure):
    """A median with its spread."""
    return f"{figure['median']:.3f} [{figure['low']:.3f} {figure['high']:.3f}]"


def show(table, by_row, ours, others):
    """The report as lines: rows we lose first, the worst at the top; then classes."""
    sides = [ours, *others] + (["native"] if "native" in table else [])
    yield f"{'seconds: median [low high]':28}" + "".join(f"{side:>28}" for side in sides) + f"{'ratio':>10}"
    rows = [row for row in [*NAMES, "time to init"] if row in table[ours]]
    losing = sorted((r for r in rows if by_row.get(r, 0) > 1 / NO_SLOWER), key=lambda r: -by_row[r])
    for row in losing + [r for r in rows if r not in losing] + ["wall", "cpu"]:
        cells = "".join(f"{seconds(table[s][row]) if row in table[s] else '':>28}" for s in sides)
        ratio = f"{by_row[row]:10.2f}" if row in by_row else f"{'':>10}"
        yield f"{row:28}{cells}{ratio}"
    yield ""
    yield f"class means of {ours} over {' or '.join(others)}, the faster; above 1 is slower"
    for name, mean in class_means(by_row).items():
        yield f"  {name:16}{mean:8.2f}"
    if "time to init" in by_row:
        yield f"  {'time to init':16}{by_row['time to init']:8.2f}"
