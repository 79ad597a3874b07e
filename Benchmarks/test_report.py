#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of what the benchmark says of its figures, and of how it reads a console."""

import unittest

import report
from sides import Reader, Run


def run(alu=1.0, checksum="00aa", host=None, init=1.0):
    """A run of one benchmark."""
    return Run(guest={"alu": alu}, host={"alu": host or alu}, sums={"alu": checksum}, init=init, wall=alu, cpu=alu)


class Report(unittest.TestCase):
    """One behaviour each."""

    def test_a_wrong_checksum_is_told(self):
        runs = {"apus": [run(), run(checksum="00ab")], "qemu": [run(), run()]}
        self.assertEqual(len(list(report.check_sums(runs, "qemu"))), 1)

    def test_a_missing_benchmark_is_told(self):
        runs = {"apus": [Run()], "qemu": [run()]}
        self.assertEqual(len(list(report.check_sums(runs, "qemu"))), 1)

    def test_native_checksums_may_differ(self):
        runs = {"apus": [run()], "qemu": [run()], "native": [run(checksum="00cc")]}
        self.assertEqual(list(report.check_sums(runs, "qemu")), [])

    def test_a_clock_that_is_two_percent_off_is_told(self):
        runs = {"apus": [run(alu=0.98, host=1.0)], "qemu": [run(alu=0.995, host=1.0)]}
        self.assertEqual([said.split(",")[0] for said in report.check_clocks(runs)], ["apus"])

    def test_the_faster_qemu_counts(self):
        runs = {"apus": [run(4.0)], "qemu1": [run(2.0)], "qemu2": [run(1.0)]}
        self.assertEqual(report.ratios(report.figures(runs), "apus", ["qemu1", "qemu2"])["alu"], 4.0)

    def test_a_class_is_a_geometric_mean(self):
        means = report.class_means({"fib": 2.0, "icall": 8.0, "alu": 3.0})
        self.assertEqual(set(means), {"branch"})
        self.assertAlmostEqual(means["branch"], 4.0)

    def test_what_is_lost_comes_first(self):
        runs = {"apus": [run(2.0)], "qemu": [run(1.0)]}
        table = report.figures(runs)
        rows = list(report.show(table, report.ratios(table, "apus", ["qemu"]), "apus", ["qemu"]))
        self.assertTrue(rows[1].startswith("alu"))


class Console(unittest.TestCase):
    """What a side's output becomes."""

    def test_lines_are_stamped(self):
        reader = Reader(began=10.0)
        for line, stamp in [
            ("[    1.2] a kernel's message INIT-UP 1.250", 12.0), ("BENCH alu 0.500000 00ff", 12.5),
            ("BENCH syscall 1.000000 -", 13.5), ("VULNERABILITY meltdown: Not affected", 13.6), ("ALL-DONE", 13.7),
        ]:
            reader.take(line, stamp)
        self.assertTrue(reader.done)
        self.assertEqual(reader.run.init, 2.0)
        self.assertEqual(reader.run.host, {"alu": 0.5, "syscall": 1.0})
        self.assertEqual(reader.run.sums, {"alu": "00ff", "syscall": "-"})
        self.assertEqual(report.mitigations(reader.run), "meltdown: Not affected")


if __name__ == "__main__":
    unittest.main(argv=["test_report.py", "--quiet"])
