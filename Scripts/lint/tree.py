# SPDX-License-Identifier: Apache-2.0
"""The files that lint looks at, and how a finding is told."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from swiftsource import SwiftSource


@dataclass(frozen=True)
class Finding:
    """One sentence about one line. A warning does not fail the run."""

    path: str
    line: int
    rule: str
    sentence: str
    warning: bool = False

    def __str__(self):
        kind = "warning: " if self.warning else ""
        return f"{self.path}:{self.line}: [{self.rule}] {kind}{self.sentence}"


class Tree:
    """The repository's files, read once: `paths` as written from the root, `text(path)`, `swift(path)`."""

    def __init__(self, root, files=None):
        """The tree at `root`; `files` maps paths to texts in place of a folder (the self-test's way)."""
        self.root = Path(root)
        self._texts = dict(files) if files is not None else {}
        self._parsed = {}
        if files is not None:
            self.paths = sorted(files)
        else:
            listed = subprocess.run(
                ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                cwd=root, check=True, capture_output=True).stdout.decode()
            self.paths = sorted(p for p in set(listed.split("\0")) if p and (self.root / p).is_file())
        self._virtual = files is not None

    def exists(self, path):
        """Whether a file or folder is there (a path that leads out of the tree is not)."""
        if self._virtual:
            return path in self._texts or any(p.startswith(path.rstrip("/") + "/") for p in self._texts)
        return (self.root / path).exists()

    def text(self, path):
        """The file's text; bytes that are no UTF-8 stand as replacement characters."""
        if path not in self._texts:
            self._texts[path] = (self.root / path).read_bytes().decode("utf-8", "replace")
        return self._texts[path]

    def is_binary(self, path):
        """Whether the file holds a zero byte."""
        return "\0" in self.text(path)

    def lines(self, path):
        """The file's lines, with their numbers from 1."""
        return enumerate(self.text(path).split("\n"), 1)

    def swift(self, path):
        """The file as parsed Swift."""
        if path not in self._parsed:
            self._parsed[path] = SwiftSource.parse(self.text(path))
        return self._parsed[path]

    def named(self, *suffixes, under=""):
        """The text files whose path ends with one of `suffixes`, below the folder `under`."""
        return [p for p in self.paths if p.endswith(suffixes) and p.startswith(under) and not self.is_binary(p)]
