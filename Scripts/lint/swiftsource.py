# SPDX-License-Identifier: Apache-2.0
"""Reads Swift source just well enough for lint: what is code, what is comment, and which braces enclose a line."""

import re
from dataclasses import dataclass, field

DECLARATION = re.compile(
    r"\b(func|init|deinit|subscript|var|let|struct|class|enum|actor|extension|protocol|get|set|_read|_modify|case)\b")


@dataclass
class Block:
    """A pair of braces: the lines they stand on, and the line on which the declaration before them begins."""

    first: int
    last: int
    head: int


@dataclass
class SwiftSource:
    """One file: `code` and `comments` are its lines with the other part blanked; strings are blanked in `code`."""

    code: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    @staticmethod
    def parse(text):
        """Splits `text`; a string's interpolations count as code."""
        code, comments = _split(text)
        return SwiftSource(code.split("\n"), comments.split("\n"))

    def blocks(self):
        """Every pair of braces, inner ones after outer ones."""
        found, opened = [], []
        for number, line in enumerate(self.code):
            for character in line:
                if character == "{":
                    opened.append(number)
                elif character == "}" and opened:
                    first = opened.pop()
                    found.append(Block(first, number, self._head(first)))
        return sorted(found, key=lambda block: (block.first, -block.last))

    def _head(self, line):
        """The line on which the declaration whose brace opens on `line` begins: signatures may span lines."""
        start = line
        while start > 0:
            if DECLARATION.search(self.code[start].split("{")[0]):
                break
            above = self.code[start - 1].strip()
            if line - start > 12 or not above or above[-1] in "{};":
                return line
            start -= 1
        while start > 0 and self.code[start - 1].strip().startswith("@"):
            start -= 1
        return start

    def comment_above(self, line):
        """The text of the comment lines that stand right above `line`, attributes and blank code between them aside."""
        text, number = [], line - 1
        while number >= 0:
            code, comment = self.code[number].strip(), self.comments[number].strip()
            if comment and not code:
                text.append(comment)
            elif not code.startswith("@"):
                break
            number -= 1
        return "\n".join(reversed(text))


def _split(text):
    code, comments = [], []

    def put(chunk, where):
        for target in (code, comments):
            if target is where:
                target.append(chunk)
            else:
                target.append(re.sub(r"[^\n]", " ", chunk))

    def string(position):
        """Blanks the string literal at `position`; returns where it ends. Interpolations are put as code."""
        hashes = 0
        while text[position + hashes] == "#":
            hashes += 1
        start = position + hashes
        quote = '"""' if text.startswith('"""', start) else '"'
        escape = "\\" + "#" * hashes
        close = quote + "#" * hashes
        put(text[position:start + len(quote)], None)
        position = start + len(quote)
        while position < len(text):
            if text.startswith(close, position):
                put(close, None)
                return position + len(close)
            if text.startswith(escape + "(", position):
                put(escape + "(", None)
                position = scan(position + len(escape) + 1, closing=True)
            elif text.startswith(escape, position):
                put(text[position:position + len(escape) + 1], None)
                position += len(escape) + 1
            elif text[position] == "\n" and quote == '"':
                return position
            else:
                put(text[position], None)
                position += 1
        return position

    def scan(position, closing=False):
        depth = 0
        while position < len(text):
            two = text[position:position + 2]
            if two == "//":
                end = text.find("\n", position)
                end = len(text) if end < 0 else end
                put(text[position:end], comments)
                position = end
            elif two == "/*":
                level, end = 0, position
                while end < len(text):
                    if text.startswith("/*", end):
                        level, end = level + 1, end + 2
                    elif text.startswith("*/", end):
                        level, end = level - 1, end + 2
                        if level == 0:
                            break
                    else:
                        end += 1
                put(text[position:end], comments)
                position = end
            elif text[position] == '"' or (text[position] == "#" and re.match(r'#+"', text[position:position + 8])):
                position = string(position)
            else:
                character = text[position]
                if closing:
                    if character == "(":
                        depth += 1
                    elif character == ")":
                        if depth == 0:
                            put(")", None)
                            return position + 1
                        depth -= 1
                put(character, code)
                position += 1
        return position

    scan(0)
    return "".join(code), "".join(comments)
