# SPDX-License-Identifier: Apache-2.0
"""Rule documents: what a document links to, or names as a path of the repository, is there."""

import posixpath
import re

from tree import Finding

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# `Sources/…`, `docs/…` and the like in backquotes: a path from the root.
PATH = re.compile(
    r"`((?:Sources|Tests|Scripts|Benchmarks|Fuzz|Guest|docs|\.ci)/[\w./+@-]*)`")
FENCE = re.compile(r"^\s*(```|~~~)")


def check(tree):
    """Every Markdown file; code blocks aside."""
    for path in tree.named(".md"):
        folder, fenced = posixpath.dirname(path), False
        for number, line in tree.lines(path):
            if FENCE.match(line):
                fenced = not fenced
            if fenced:
                continue
            for target in LINK.findall(line):
                target = target.split("#")[0]
                if not target or re.match(r"^[a-z]+:", target):
                    continue
                resolved = posixpath.normpath(posixpath.join(folder, target))
                if resolved.startswith("..") or not tree.exists(resolved):
                    yield Finding(path, number, "documents", f"the link to '{target}' leads nowhere")
            for named in PATH.findall(line):
                if not tree.exists(named.rstrip("/.")):
                    yield Finding(path, number, "documents", f"'{named}' does not exist")
