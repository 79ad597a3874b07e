# SPDX-License-Identifier: Apache-2.0
"""Rule claims: docs/concepts.md and docs/threat-model.md name what is there: types, tests, commands, options, variables.

Paths are the rule documents'. What is named in backquotes is looked up:

    `Type`, `Type.member`      a type that Sources declare (and a member called so, in a file that speaks of the type)
    `SomethingTests`           a suite that Tests declare
    `apus word… --option`      commands and options that Sources/apus declare; words in capitals stand for values
    `APUS_SOMETHING`           a variable that Sources, Tests, Scripts or the manifest read

In concepts.md a row of a table has a type, its place, a command and a test, or says "not yet".
"""

import re

from tree import Finding

PAGES = ("docs/concepts.md", "docs/threat-model.md")
SPAN = re.compile(r"`([^`]+)`")
TYPE = re.compile(r"^([A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*)(?:\.([a-z]\w*)(?:\([\w:]*\))?)?$")
DECLARED = re.compile(r"\b(?:struct|class|enum|actor|protocol|typealias)\s+([A-Z]\w*)")
MEMBER = re.compile(r"\b(?:func|var|let|case)\s+`?(\w+)")
VARIABLE = re.compile(r"^APUS_[A-Z_]+$")
COMMAND = re.compile(r'commandName:\s*"([\w-]+)"')
BELOW = re.compile(r"\bsubcommands:\s*\[([^\]]*)\]")
SELF = re.compile(r"\b(\w+)\.self\b")
OPTION = re.compile(r"@(?:Option|Flag)\b")
PROPERTY = re.compile(r"\bvar\s+(\w+)")
CUSTOM = re.compile(r'\.customLong\("([\w-]+)"')
PATH = re.compile(r"`((?:Sources|Tests|Fuzz|Guest)/[\w./+@-]+)`")
# What every command has from the parser itself.
BUILT_IN = {"help", "version"}


class Names:
    """All that the two pages may name."""

    def __init__(self, tree):
        self.types = {}
        self.members = {}
        # A command's type -> its name, and the types of the commands below it.
        self.commands, self.below, self.options = {}, {}, set(BUILT_IN)
        for path in tree.named(".swift"):
            code = "\n".join(tree.swift(path).code)
            for name in DECLARED.findall(code):
                self.types.setdefault(name, []).append(path)
            for name in MEMBER.findall(code):
                self.members.setdefault(name, set()).add(path)
            if path.startswith("Sources/apus/"):
                text = tree.text(path)
                if (name := COMMAND.search(text)) and (home := DECLARED.search(code)):
                    self.commands[home.group(1)] = name.group(1)
                    listed = BELOW.search(code)
                    self.below[home.group(1)] = SELF.findall(listed.group(1)) if listed else []
                self.options.update(CUSTOM.findall(text))
                for match in OPTION.finditer(code):
                    if found := PROPERTY.search(code, match.end()):
                        self.options.add(kebab(found.group(1)))
        self.variables = {
            name for path in tree.named(".swift", ".sh", ".py", ".c", "Makefile")
            for name in re.findall(r"\bAPUS_[A-Z_]+\b", tree.text(path))}

    def below_command(self, words):
        """The names of the commands below the command that `words` are, the program's name first."""
        types = [home for home, name in self.commands.items() if name == words[0]]
        for word in words[1:]:
            types = [t for home in types for t in self.below[home] if self.commands.get(t) == word]
        return {self.commands[t] for home in types for t in self.below[home] if t in self.commands} | {"help"}

    def type_trouble(self, name, member):
        """What is wrong with a type's name, or nothing."""
        folder = "Tests/" if name.endswith("Tests") else "Sources/"
        homes = [path for path in self.types.get(name, []) if path.startswith(folder)]
        if not homes:
            return f"no type '{name}' is declared in {folder}"
        if member and not any(self.speaks_of(name, path) for path in self.members.get(member, ())):
            return f"'{name}' has no '{member}'"
        return None

    def speaks_of(self, name, path):
        """Whether a file declares or extends the type: it does so under the type's name, or in the file of it."""
        return path in self.types[name] or path.rsplit("/", 1)[-1].startswith(name + "+")


def kebab(name):
    """A property's name as the command line writes it."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"-\1", name).lower()


def command_trouble(span, names):
    """What is wrong with a command line, or nothing: its first words are commands, its options exist."""
    path, *words = span.split()
    path = [path]
    for word in words:
        if word == "--":
            break
        below = names.below_command(path) - {"help"}
        if word.startswith(("--", "[--")):
            option = re.sub(r"^\[?--|[=\]].*$|\]$", "", word)
            if option not in names.options:
                return f"'apus' has no option --{option}"
        elif below and re.fullmatch(r"[a-z][a-z-]*", word):
            if word not in below:
                return f"'{' '.join(path)}' has no command '{word}'; it has {', '.join(sorted(below))}"
            path.append(word)
    return None


def row_trouble(line, names):
    """What is wrong with a row of concepts.md, or nothing."""
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    if len(cells) < 5 or set("".join(cells)) <= set("-: ") or "not yet" in line or cells[1] == "Type":
        return None
    spans = SPAN.findall(cells[1])
    types = [match.group(1) for span in spans if (match := TYPE.match(span))]
    places = PATH.findall(cells[2])
    if not types or not places:
        return "a concept has a type and its place, or says 'not yet'"
    for name in types:
        homes = [home for home in names.types.get(name, []) if home.startswith("Sources/")]
        if not any(home.startswith(place.rstrip("/")) for home in homes for place in places):
            return f"'{name}' is not declared in {' or '.join(places)}"
    if not SPAN.search(cells[3]):
        return "a concept has a command that shows it, or says 'not yet'"
    if not any(place.startswith(("Tests/", "Fuzz/")) for place in PATH.findall(cells[4])):
        return "a concept has a test, or says 'not yet'"
    return None


def check(tree):
    """Both pages, where they are; code blocks aside."""
    names = None
    for page in PAGES:
        if page not in tree.paths:
            continue
        names = names or Names(tree)
        fenced = False
        for number, line in tree.lines(page):
            if line.lstrip().startswith("```"):
                fenced = not fenced
            if fenced:
                continue
            for trouble in troubles(page, line, names):
                if trouble:
                    yield Finding(page, number, "claims", trouble)


def troubles(page, line, names):
    """Everything that is wrong with a line."""
    for span in SPAN.findall(line):
        if span == "apus" or span.startswith("apus "):
            yield command_trouble(span, names)
        elif VARIABLE.match(span):
            yield None if span in names.variables else f"nothing reads the variable '{span}'"
        elif match := TYPE.match(span):
            yield names.type_trouble(*match.groups())
    if page == PAGES[0] and line.startswith("|"):
        yield row_trouble(line, names)
