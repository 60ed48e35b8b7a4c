"""The table of systems: every method once, in reading order, and no method imported."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Literal

from pellucid import papers
from pellucid.errors import UserError
from pellucid.naming import UnknownName, unknown

GROUP = "pellucid.systems"  # the entry-point group by which other packages add rows

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
]
Sort = Literal["system", "baseline"]


class UnknownSlug(UnknownName):
    """No row of the table has this slug."""


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


SYSTEMS: tuple[Row, ...] = (
    Row(
        slug="pgd",
        kind="attack",
        where="attack.evade.pgd:PGD",
        source="madry2018towards",
        title="PGD",
        modality="images, vectors",
        claim="claims.pgd:CLAIM",
        sort="baseline",
    ),
    Row(
        slug="hopskipjump",
        kind="attack",
        where="attack.evade.hop_skip_jump:HopSkipJump",
        source="chen2020hopskipjump",
        title="HopSkipJump",
        modality="images, vectors",
        sort="baseline",
    ),
)


def rows(*, plugins: bool = False) -> tuple[Row, ...]:
    """The house's rows, then with `plugins` those that installed packages add.

    An entry point of the group `pellucid.systems` names one `Row` or an iterable of them.

    Raises:
        BadTable: an entry point holds something else, or two distributions use one slug.
    """
    if not plugins:
        return SYSTEMS
    table, owner = list(SYSTEMS), dict.fromkeys((row.slug for row in SYSTEMS), "pellucid")
    for point in entry_points(group=GROUP):
        here = point.dist.name if point.dist else point.value
        for row in _rows_of(point):
            if row.slug in owner:
                raise BadTable(
                    f"The slug '{row.slug}' is used by both {owner[row.slug]} and {here}; "
                    "uninstall one of them or ask its authors for another slug."
                )
            owner[row.slug] = here
            table.append(row)
    return tuple(table)


def _rows_of(point: EntryPoint) -> tuple[Row, ...]:
    try:
        found = point.load()
    except (ImportError, AttributeError) as error:
        raise BadTable(
            f"The systems of '{point.value}' cannot be read ({error}); update or uninstall it."
        ) from error
    table = tuple(found) if isinstance(found, Iterable) else (found,)
    if not all(isinstance(row, Row) for row in table):
        raise BadTable(f"'{point.value}' must hold a pellucid.systems.Row, or several of them.")
    return table


def find(slug: str, *, plugins: bool = True) -> Row:
    """The row of this slug; `UnknownSlug` names the nearest ones otherwise."""
    table = {row.slug: row for row in rows(plugins=plugins)}
    if slug in table:
        return table[slug]
    raise unknown("system", slug, table, UnknownSlug)
