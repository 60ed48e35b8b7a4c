"""S-expressions: a text as nested lists of words, each list with the line where it begins."""

import re
from dataclasses import dataclass, field

from pellucid.verify.properties.property import BadProperty

DEEPEST = 50  # brackets inside one another
TOKEN = re.compile(r"\n|;[^\n]*|[()]|[^\s();]+")


@dataclass(kw_only=True, slots=True)
class Form:
    """A bracket and what stands in it."""

    line: int
    parts: list["Form | str"] = field(default_factory=list)

    @property
    def head(self) -> str:
        """The first word; empty if there is none."""
        return self.parts[0] if self.parts and isinstance(self.parts[0], str) else ""


def wrong(line: int, what: str) -> BadProperty:
    """What is wrong in a line."""
    return BadProperty(f"Line {line}: {what}")


def shown(part: Form | str) -> str:
    """A part for a sentence: cut short, and without what a terminal obeys."""
    return (
        ascii(part if len(part) <= 40 else f"{part[:40]}...") if isinstance(part, str) else "(...)"
    )


def forms(text: str) -> list[Form | str]:
    """The expressions of a text, in order; what follows a semicolon in a line is left out.

    Raises:
        BadProperty: brackets do not match, or are nested too deep.
    """
    around, line = [Form(line=0)], 1
    for token in TOKEN.findall(text):
        if token == "\n":
            line += 1
        elif token == ")":
            if len(around) == 1:
                raise wrong(line, "a bracket closes that was not opened: remove it.")
            around.pop()
        elif token == "(":
            around.append(_opened(around, line))
        elif token[0] != ";":
            around[-1].parts.append(token)
    if len(around) > 1:
        raise wrong(around[-1].line, "this bracket is never closed: the file is cut short.")
    return around[0].parts


def _opened(around: list[Form], line: int) -> Form:
    """A new bracket inside the innermost."""
    if len(around) > DEEPEST:
        raise wrong(line, f"brackets are nested deeper than {DEEPEST}: write it flat.")
    form = Form(line=line)
    around[-1].parts.append(form)
    return form
