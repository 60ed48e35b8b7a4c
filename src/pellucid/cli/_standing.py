"""How the claim of a system stands, in words."""

import json
from importlib import resources

from pellucid.systems import Row

VERDICTS = {True: "holds", False: "does not hold", None: "undecided"}


def standing(row: Row) -> str:
    """What the committed result of the row's claim says; only the house's results are kept."""
    if row.claim is None:
        return "none to reproduce"
    result = _result(row.slug)
    if result is None:
        return "not measured yet"
    return f"{VERDICTS[result['holds']]} ({len(result['seeds'])} seeds)"


def in_short(row: Row) -> str:
    """The same for a column: nothing where there is no claim."""
    return "" if row.claim is None else standing(row).partition(" (")[0]


def _result(slug: str) -> dict | None:
    """The committed file as it is: what checks it imports numpy, for which a list must not wait."""
    file = resources.files("pellucid.claims") / "results" / f"{slug}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
