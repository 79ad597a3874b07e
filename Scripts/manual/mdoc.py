# SPDX-License-Identifier: Apache-2.0
"""Plain text as mdoc(7): escapes, paragraphs, examples, a synopsis."""

import re
import textwrap


def escape(text):
    """`text` as roff prints it: backslashes, hyphens that are typed, characters beyond ASCII."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    # A straight quote is a quote in code, not a typographer's.
    text = text.replace("'", "\\(aq").replace("`", "\\(ga").replace("^", "\\(ha").replace("~", "\\(ti")
    return "".join(c if ord(c) < 128 else f"\\[u{ord(c):04X}]" for c in text)


def words(text):
    """`text` as one argument of a macro."""
    text = escape(text).replace('"', "\\(dq")
    # A word that mdoc(7) would call, or punctuation that it would set apart, is escaped by a character of no width.
    return f'"{text}"' if " " in text else re.sub(r"^(?=[.,:;()\[\]?!|]$|[A-Z][a-z]$)", r"\\&", text)


def line(text):
    """`text` as a line of its own: what begins like a macro does not become one."""
    return ("\\&" if text.startswith((".", "'")) else "") + escape(text)


def text(sentences):
    """Running text, one sentence a line, as roff wants it."""
    for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z0-9])", " ".join(sentences.split())):
        # Source lines of 79 characters at most; words are never broken.
        for part in textwrap.wrap(escape(sentence), 79, break_long_words=False, break_on_hyphens=False):
            yield ("\\&" if part.startswith((".", "'")) else "") + part


def is_literal(source):
    """Whether a line of a discussion is indented: an example or a table."""
    return source.startswith((" ", "\t"))


def paragraphs(discussion):
    """A discussion: what is indented stays as it is, the rest is filled."""
    blocks, previous = [], None
    for source in discussion.split("\n"):
        kind = None if not source.strip() else is_literal(source)
        if kind is not None and kind == previous:
            blocks[-1][1].append(source)
        elif kind is not None:
            # A blank line inside an example does not end it.
            if kind and blocks and blocks[-1][0] and previous is None:
                blocks[-1][1].extend(["", source])
            else:
                blocks.append((kind, [source]))
        previous = kind
    for index, (literal, lines) in enumerate(blocks):
        if literal:
            yield ".Bd -literal -offset indent" if index else ".Bd -literal -offset indent -compact"
            for source in textwrap.dedent("\n".join(lines)).split("\n"):
                yield line(source)
            yield ".Ed"
        else:
            if index:
                yield ".Pp"
            yield from text(" ".join(lines))


def synopsis(names, usage):
    """One usage line: names bold, options bold, what stands for a value underlined."""
    prefix = " ".join(names)
    rest = usage[len(prefix):] if usage.startswith(prefix) else " " + usage
    yield f'.Nm "{prefix}"'
    shown = []
    for word in rest.split():
        # Brackets and dots around a word stay as they are.
        for part in re.findall(r"[\[\]()|<>…]|\.\.\.|[^\[\]()|<>…\s]+", word):
            if part.startswith("-") and len(part) > 1 and part != "--":
                shown.append("\\fB" + escape(part) + "\\fP")
            elif part in "<>":
                continue
            elif re.match(r"^[A-Za-z]", part) and (part.isupper() or f"<{part}>" in word):
                shown.append("\\fI" + escape(part) + "\\fP")
            else:
                shown.append(escape(part))
        shown.append(" ")
    if "".join(shown).strip():
        yield "".join(shown).strip()
