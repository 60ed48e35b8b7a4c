"""The table of systems: every method once, in reading order, and no method imported."""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points

from pellucid.naming import UnknownName, unknown
from pellucid.systems.attacks import ATTACKS
from pellucid.systems.explainers import EXPLAINERS
from pellucid.systems.row import BadTable, Kind, Row, Sort
from pellucid.systems.selectors import SELECTORS
from pellucid.systems.trainers import TRAINERS

__all__ = ["GROUP", "SYSTEMS", "BadTable", "Kind", "Row", "Sort", "UnknownSlug", "find", "rows"]

GROUP = "pellucid.systems"  # the entry-point group by which other packages add rows


class UnknownSlug(UnknownName):
    """No row of the table has this slug."""


SYSTEMS: tuple[Row, ...] = (*ATTACKS, *SELECTORS, *EXPLAINERS, *TRAINERS)


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
