# SPDX-License-Identifier: Apache-2.0
"""Rule places: no path and no host of one person's machine in what everybody gets."""

import re
from pathlib import Path

from tree import Finding

HOSTS = Path(__file__).with_name("hosts.txt")
# Folders that exist on one machine: homes, workspaces, named folders of /tmp.
PLACE = re.compile(r"(?<![\w.*/$}){\]~-])/(?:root|work|workspaces?|home/\w+|Users/\w+|tmp/\w+)/")
ADDRESS = re.compile(r"\b(?:https?|ftp|git|ssh)://(?:[^\s/@\"']+@)?([A-Za-z0-9._-]+)")
# Hosts that stand for none, or for this very machine.
NEUTRAL = re.compile(r"^(localhost|127\.|10\.0\.2\.|.*\bexample(\.(com|org|net))?$|[^.]*$)")
SKIPPED = ("LICENSE",)


def read_hosts(text):
    """The allowed hosts."""
    return {line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")}


def check(tree):
    """Every text file."""
    hosts = read_hosts(HOSTS.read_text())
    for path in tree.paths:
        if path in SKIPPED or tree.is_binary(path):
            continue
        for number, line in tree.lines(path):
            if match := PLACE.search(line):
                yield Finding(path, number, "places", f"'{match.group(0)}' is a place on one machine")
            for host in ADDRESS.findall(line):
                if host.lower() not in hosts and not NEUTRAL.match(host):
                    yield Finding(path, number, "places", f"host '{host}' is not in Scripts/lint/hosts.txt")
