"""One row of the table of systems: a method, described without importing it."""

import re
from dataclasses import dataclass
from importlib import import_module
from typing import Literal

from pellucid import papers
from pellucid.errors import UserError

Kind = Literal[
    "attack",
    "explainer",
    "scanner",
    "detector",
    "guard",
    "verifier",
    "poison",
    "steal",
    "trainer",
    "builder",
    "searcher",
    "reparam",
    "selector",
]
Sort = Literal["system", "baseline"]


class BadTable(UserError):
    """A row is malformed, or another package's rows cannot be added to the table."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One system, described without importing it."""

    slug: str  # what a user types
    kind: Kind  # which contract it keeps
    where: str  # "module:Class" inside `package`
    source: str  # key of its paper in the papers.bib of `package`
    title: str
    modality: str  # what it takes, in words: "images, vectors"
    claim: str | None = None  # "module:CLAIM" inside `package`; None: no headline to reproduce
    sort: Sort = "system"  # a baseline is here to be compared with
    package: str = "pellucid"  # whose import strings these are

    def __post_init__(self) -> None:
        """Refuse a slug or an import string that could never work."""
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.slug):
            raise BadTable(f"The slug '{self.slug}' must be lower-case words joined by hyphens.")
        for place in filter(None, (self.where, self.claim)):
            if not re.fullmatch(r"[\w.]+:\w+", place):
                raise BadTable(f"In row '{self.slug}', '{place}' must read 'module:Name'.")

    def load(self) -> type:
        """Import the method's module and return its class."""
        module, name = self.where.split(":")
        return getattr(import_module(f"{self.package}.{module}"), name)

    def bibtex(self) -> str:
        """The BibTeX entry of the paper; `UnknownPaper` when its package has no such key."""
        return papers.entry(self.source, self.package)
