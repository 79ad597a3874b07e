#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the rules over the repository. usage: lint.py [--only RULE] (RULE: imports, sizes, swift, words, documents, claims)"""

import argparse
import sys
from pathlib import Path

import rule_claims
import rule_documents
import rule_imports
import rule_sizes
import rule_swift
import rule_words
from tree import Tree

RULES = {
    "imports": rule_imports, "sizes": rule_sizes, "swift": rule_swift, "words": rule_words,
    "documents": rule_documents, "claims": rule_claims,
}


def main():
    """Prints the findings; 1 where one is more than a warning."""
    parser = argparse.ArgumentParser(description="Checks the repository against its own rules.")
    parser.add_argument("--only", choices=sorted(RULES), help="one group of rules")
    chosen = parser.parse_args().only
    tree = Tree(Path(__file__).resolve().parents[2])
    findings = [f for name, rule in RULES.items() if chosen in (None, name) for f in rule.check(tree)]
    for finding in sorted(findings, key=lambda f: (f.path, f.line, f.rule)):
        print(finding)
    return any(not f.warning for f in findings)


if __name__ == "__main__":
    sys.exit(main())
