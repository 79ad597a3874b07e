#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of the manual's generator: words that roff would take for its own, sections, usage, hidden commands."""

import datetime
import unittest

import manual
import mdoc

DAY = datetime.date(2026, 2, 3)


def command(name, **more):
    """A command as the parser dumps it."""
    return {"commandName": name, "abstract": "Does things.", "arguments": [], **more}


class Text(unittest.TestCase):
    """Plain text as mdoc."""

    def test_typed_characters_stay_typed(self):
        self.assertEqual(mdoc.escape("a-b 'c' \\d ~ ^"), "a\\-b \\(aqc\\(aq \\ed \\(ti \\(ha")

    def test_beyond_ascii(self):
        self.assertEqual(mdoc.escape("…"), "\\[u2026]")

    def test_a_dot_begins_no_macro(self):
        self.assertEqual(mdoc.line(".profile"), "\\&.profile")

    def test_a_word_that_is_a_macro_is_none(self):
        self.assertEqual(mdoc.words("Ar"), "\\&Ar")

    def test_a_sentence_a_line(self):
        self.assertEqual(list(mdoc.text("One thing. Another")), ["One thing.", "Another"])

    def test_examples_keep_their_lines(self):
        self.assertEqual(
            list(mdoc.paragraphs("Words\nof one.\n\n  a  b\n  c")),
            ["Words of one.", ".Bd -literal -offset indent", "a  b", "c", ".Ed"])


class Pages(unittest.TestCase):
    """A page from a command."""

    def test_usage_lines(self):
        text = "OVERVIEW: x\n\nUSAGE: a b X\n       a b --y\n         Y\n\nOPTIONS:\n  a b z\n"
        self.assertEqual(manual.usage(text), ["a b X", "a b --y Y"])

    def test_sections_by_headings_in_capitals(self):
        self.assertEqual(
            manual.sections("Text.\n\nEXIT STATUS\n  0 fine"), [("", "Text."), ("EXIT STATUS", "  0 fine")])

    def test_sections_come_in_the_order_of_manuals(self):
        text = "EXAMPLES\n  x\nEXIT STATUS\n  0\nKNOWN THINGS\n  y"
        lines = list(manual.page(("a",), command("a", discussion=text), "USAGE: a\n", DAY, extra="FILES\n  f"))
        heads = [line[4:] for line in lines if line.startswith(".Sh ")]
        self.assertEqual(
            heads, ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "KNOWN THINGS", "FILES", "EXIT STATUS", "EXAMPLES"])

    def test_hidden_commands_have_no_page(self):
        root = command("a", subcommands=[command("b"), command("c", shouldDisplay=False), command("help")])
        self.assertEqual([names for names, _ in manual.commands(root)], [("a",), ("a", "b")])

    def test_an_option_with_both_names_and_a_default(self):
        argument = {
            "kind": "option", "valueName": "size", "abstract": "RAM.", "defaultValue": "1G",
            "names": [{"kind": "long", "name": "memory"}, {"kind": "short", "name": "m"}]}
        self.assertEqual(
            list(manual.option(argument)), [".It Fl m , Fl -memory Ar size", "RAM.", "Default: 1G."])

    def test_the_foot(self):
        lines = list(manual.page(("a", "b"), command("b"), "USAGE: a b\n", DAY, "Apus 1.2.3"))
        self.assertEqual(lines[1:4], [".Dd February 3, 2026", ".Dt A-B 1", ".Os Apus 1.2.3"])
        self.assertEqual(lines[-2:], [".Sh SEE ALSO", ".Xr a 1"])


if __name__ == "__main__":
    unittest.main(argv=["test_manual.py", "--quiet"])
