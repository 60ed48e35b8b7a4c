"""Formulas as alternatives: at least one of several sets of inequalities holds whole."""

from itertools import chain, product
from math import prod

from pellucid.verify.properties._expressions import Form, shown, wrong
from pellucid.verify.properties._linear import Inequality, inequalities

MOST = 100_000  # inequalities in all alternatives together, beyond those that stand in the file
All = tuple[Inequality, ...]  # inequalities that hold together


def conjunction(parts: list[Form], line: int, names: frozenset[str]) -> tuple[All, tuple[All, ...]]:
    """What holds in any case, and of what at least one alternative holds besides.

    Raises:
        BadProperty: an unknown symbol, a term that is not linear, or too many alternatives.
    """
    found = [_alternatives(part, names) for part in parts]
    always = tuple(chain.from_iterable(one[0] for one in found if len(one) == 1))
    several = [one for one in found if len(one) > 1]
    # what stands in the file grows only where alternatives meet alternatives
    if len(several) > 1:
        ways = prod(map(len, several))
        if ways * max(len(each) for one in several for each in one) > MOST:
            raise wrong(line, f"there are {ways} combinations of alternatives: split the file.")
    joined = tuple(tuple(chain.from_iterable(way)) for way in product(*several))
    return always, joined


def _alternatives(form: Form, names: frozenset[str]) -> tuple[All, ...]:
    if form.head in ("<=", ">=", "="):
        return (inequalities(form, names),)
    if form.head not in ("and", "or"):
        raise wrong(
            form.line,
            f"{shown(form.head)} is not read here: write a formula with and, or, <=, >= and =.",
        )
    parts = [part for part in form.parts[1:] if isinstance(part, Form)]
    if not parts or len(parts) < len(form.parts) - 1:
        raise wrong(form.line, f"{form.head!r} joins formulas in brackets: give them.")
    if form.head == "or":
        return tuple(chain.from_iterable(_alternatives(part, names) for part in parts))
    always, several = conjunction(parts, form.line, names)
    if len(always) * len(several) > MOST and len(several) > 1:
        raise wrong(form.line, "an alternative repeats too many inequalities: assert them apart.")
    return tuple((*always, *each) for each in several)
