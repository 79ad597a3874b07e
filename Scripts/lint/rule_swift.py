# SPDX-License-Identifier: Apache-2.0
"""Rules safety, traps, names and comments: what Swift sources may hold."""

import re

from tree import Finding

# How far above an `unsafe` its SAFETY comment may stand, and how long a block one comment may speak for.
NEAR, SHORT = 6, 60
# `unsafe` as an expression, and the declarations that promise safety in its place.
UNSAFE = re.compile(r"(?<![@\w(.])unsafe\b(?!\s*[:(=,)])|\b(?:nonisolated|unowned)\(unsafe\)|@unchecked\s+Sendable")
TRAPS = [
    (re.compile(r"\btry!"), "try! crashes the VMM on a host failure: throw a typed error"),
    (re.compile(r"\bfatalError\b"), "fatalError is for no case: a value, a typed error, or a precondition"),
    (re.compile(r"\bas!"), "a forced cast crashes: use a conditional one"),
]
TYPE = re.compile(r"\b(?:struct|class|enum|actor|protocol|typealias)\s+([A-Z]\w*)")
TYPE_HEADING = re.compile(r"\b(?:struct|class|enum|actor|protocol|extension)\s+[A-Z`]")
VAGUE = re.compile(r"Manager|Helper|Util(?:s|ity|ities)?(?![a-z])|(?:Impl|Base)$")
LATER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def check(tree):
    """All Swift files; traps and safety in Sources only."""
    for path in tree.named(".swift"):
        source = tree.swift(path)
        yield from check_names(path, source)
        for number, comment in enumerate(source.comments, 1):
            for word in LATER.findall(comment):
                yield Finding(path, number, "comments", f"{word}: do it, or open an issue")
        if path.startswith("Sources/"):
            for number, line in enumerate(source.code, 1):
                for pattern, sentence in TRAPS:
                    if pattern.search(line):
                        yield Finding(path, number, "traps", sentence)
            yield from check_safety(path, source)


def check_names(path, source):
    """Names that say nothing, of types and of files."""
    stem = path.rsplit("/", 1)[-1].removesuffix(".swift").split("+")[0]
    names = [(1, stem)] + [(n, name) for n, line in enumerate(source.code, 1) for name in TYPE.findall(line)]
    for number, name in names:
        if match := VAGUE.search(name):
            yield Finding(path, number, "names", f"{name}: '{match.group(0)}' says nothing; name what it is or does")


def check_safety(path, source):
    """Each `unsafe` has its reason: right above it, in the short function around it, or atop a short declaration."""
    blocks = [b for b in source.blocks() if b.last - b.head < SHORT]
    reasons = [n for n, comment in enumerate(source.comments) if "SAFETY:" in comment]
    for number, line in enumerate(source.code):
        if not UNSAFE.search(line) or any(number - NEAR <= reason <= number for reason in reasons):
            continue
        around = [b for b in blocks if b.head <= number <= b.last]
        if not any(speaks_for(source, reasons, block) for block in around):
            yield Finding(
                path, number + 1, "safety",
                f"no '// SAFETY:' in the {NEAR} lines above, nor in or atop a function of under {SHORT} lines")


def speaks_for(source, reasons, block):
    """Whether a SAFETY comment stands above the block's declaration, or anywhere in it if it is no type's."""
    if "SAFETY:" in source.comment_above(block.head):
        return True
    heading = " ".join(source.code[block.head:block.first + 1])
    return not TYPE_HEADING.search(heading) and any(block.head <= reason <= block.last for reason in reasons)
