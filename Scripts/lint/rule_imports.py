# SPDX-License-Identifier: Apache-2.0
"""Rules imports and purity: imports.txt against every file's imports and against the package's manifest."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tree import Finding

TABLE = Path(__file__).with_name("imports.txt")
IMPORT = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:public\s+|package\s+|internal\s+|private\s+|fileprivate\s+)?import\s+"
    r"(?:(?:struct|class|enum|protocol|typealias|func|let|var)\s+)?([A-Za-z_]\w*)", re.M)
# What a pure target may not name, import or not: it does not exist for bare metal.
IMPURE = re.compile(r"\b(Mutex|Foundation|Glibc|Musl|Dispatch|Thread|DispatchQueue)\b")
C_LIBRARY = re.compile(r"^\s*#\s*include\s*<(?!std(?:int|bool|def|atomic|arg|align|noreturn)\.h)([^>]+)>", re.M)


@dataclass
class Row:
    """One target of the table."""

    kind: str
    beneath: set
    outside: set


def read_table(text):
    """The table as target -> Row, and kind -> outside modules open to all of that kind."""
    rows, shared = {}, {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, kind, beneath, outside = (cell.strip() for cell in line.split("|"))
        if name.startswith("*"):
            shared[name[1:]] = set(outside.split())
        else:
            rows[name] = Row(kind, set(beneath.split()), set(outside.split()))
    return rows, shared


def below(rows, name):
    """Everything beneath `name`, transitively."""
    found, ahead = set(), list(rows[name].beneath)
    while ahead:
        target = ahead.pop()
        if target not in found:
            found.add(target)
            ahead += rows[target].beneath
    return found


def check_files(tree, rows, shared):
    """Each source file's imports against its target's row."""
    for path in tree.named(".swift", ".c", ".h", under="Sources/"):
        target = path.split("/")[1]
        if target not in rows:
            yield Finding(path, 1, "imports", f"target {target} is not in Scripts/lint/imports.txt")
            continue
        row = rows[target]
        if row.kind in ("c", "system"):
            yield from check_c(tree, path, row)
            continue
        allowed = below(rows, target) | row.outside | shared.get(row.kind, set())
        source = tree.swift(path)
        for number, line in enumerate(source.code, 1):
            for module in IMPORT.findall(line):
                if module not in allowed and module != "Swift":
                    yield Finding(
                        path, number, "imports",
                        f"{target} may not import {module}: see Scripts/lint/imports.txt")
            if row.kind == "pure":
                for name in IMPURE.findall(line):
                    yield Finding(path, number, "purity", f"{target} is pure: no {name} in it")


def check_c(tree, path, row):
    """A C target with `Builtin` in its row is freestanding: compiler headers only."""
    if "Builtin" not in row.outside:
        return
    text = tree.text(path)
    for match in C_LIBRARY.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Finding(path, line, "purity", f"a freestanding C target includes <{match.group(1)}>")


def check_manifest(manifest, rows, shared):
    """The manifest, as `swift package dump-package` prints it, against the table and the settings."""
    for target in manifest["targets"]:
        name = target["name"]
        settings = [setting["kind"] for setting in target.get("settings", [])]
        if any("unsafeFlags" in kind for kind in settings):
            yield Finding("Package.swift", 1, "manifest", f"target {name} has unsafeFlags: nobody could depend on us")
        # Tests, and what only they import, may reach everything.
        if target["type"] == "test" or (target.get("path") or "").startswith("Tests/"):
            continue
        if name not in rows:
            yield Finding("Package.swift", 1, "imports", f"target {name} is not in Scripts/lint/imports.txt")
            continue
        row = rows[name]
        allowed = below(rows, name)
        modules = row.outside | shared.get(row.kind, set())
        for dependency in target["dependencies"]:
            if "product" in dependency:
                wanted, allowed_here = dependency["product"][0], modules
            else:
                wanted, allowed_here = (dependency.get("byName") or dependency["target"])[0], allowed
            if wanted not in allowed_here:
                yield Finding("Package.swift", 1, "imports", f"target {name} may not depend on {wanted}")
        if row.kind in ("pure", "host"):
            yield from check_settings(name, row, settings)


def check_settings(name, row, settings):
    """The language settings that every Swift target has, and those of pure ones."""
    text = json.dumps(settings)
    wanted = ["swiftLanguageMode", "strictMemorySafety", "treatAllWarnings", "ExistentialAny", "MemberImportVisibility"]
    if row.kind == "pure":
        wanted.append("EmbeddedRestrictions")
    for setting in wanted:
        if setting not in text:
            yield Finding("Package.swift", 1, "manifest", f"target {name} lacks the setting {setting}")


def check(tree):
    """Both halves, for the repository."""
    rows, shared = read_table(TABLE.read_text())
    yield from check_files(tree, rows, shared)
    dumped = subprocess.run(
        ["swift", "package", "dump-package"], cwd=tree.root, check=True, capture_output=True).stdout
    yield from check_manifest(json.loads(dumped), rows, shared)
