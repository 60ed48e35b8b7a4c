"""Linear inequalities over named variables, read from expressions."""

import re
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite

from pellucid.verify.properties._expressions import Form, shown, wrong

NUMBER_STARTS = frozenset("0123456789.+-")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Inequality:
    """The sum of terms is at most a bound."""

    terms: dict[str, float]  # coefficients by variable, none of them zero
    bound: float
    line: int


Linear = tuple[dict[str, float], float]  # coefficients by variable, and a constant


def inequalities(form: Form, names: frozenset[str]) -> tuple[Inequality, ...]:
    """What `(<= a b ...)`, `(>= a b ...)` or `(= a b ...)` says.

    Raises:
        BadProperty: an unknown symbol, or a term that is not linear.
    """
    if len(form.parts) < 3:
        raise wrong(form.line, f"{form.head} compares two terms or more: give them.")
    sides = [_linear(part, form.line, names) for part in form.parts[1:]]
    found = []
    for left, right in pairwise(sides):
        if form.head in ("<=", "="):
            found.append(_at_most(left, right, form.line))
        if form.head in (">=", "="):
            found.append(_at_most(right, left, form.line))
    return tuple(found)


def _at_most(left: Linear, right: Linear, line: int) -> Inequality:
    terms = _without_zeros(_sum(left[0], right[0], -1.0)) if right[0] else left[0]
    return Inequality(terms=terms, bound=right[1] - left[1], line=line)


def _sum(one: dict[str, float], other: dict[str, float], scale: float) -> dict[str, float]:
    total = dict(one)
    for name, value in other.items():
        total[name] = total.get(name, 0.0) + scale * value
    return total


def _without_zeros(terms: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in terms.items() if value}


def _linear(part: Form | str, line: int, names: frozenset[str]) -> Linear:
    """A term as a linear function of the variables."""
    if isinstance(part, Form):
        return _composed(part, names)
    if part in names:
        return {part: 1.0}, 0.0
    if part[0] not in NUMBER_STARTS:
        raise wrong(line, f"the symbol {shown(part)} is not declared: declare it, or correct it.")
    return {}, _number(part, line)


def _number(word: str, line: int) -> float:
    if not NUMBER.fullmatch(word):
        raise wrong(line, f"{shown(word)} is no number: correct it.")
    value = float(word)
    if not isfinite(value):
        raise wrong(line, f"{shown(word)} is beyond the largest float64: write a smaller number.")
    return value


def _composed(form: Form, names: frozenset[str]) -> Linear:
    """`(+ ...)`, `(- ...)` or `(* ...)`."""
    given = [_linear(part, form.line, names) for part in form.parts[1:]]
    if form.head not in ("+", "-", "*") or not given:
        raise wrong(
            form.line,
            f"{shown(form.head)} is no operator of a linear term: write it with +, - and *.",
        )
    if form.head == "*":
        return _product(given, form.line)
    sign = -1.0 if form.head == "-" else 1.0
    first = given[0] if len(given) > 1 else ({}, 0.0)
    terms, constant = first
    for more, number in given[1:] if len(given) > 1 else given:
        terms, constant = _sum(terms, more, sign), constant + sign * number
    return _without_zeros(terms), constant


def _product(given: list[Linear], line: int) -> Linear:
    scale, varying = 1.0, []
    for terms, constant in given:
        if terms:
            varying.append((terms, constant))
        else:
            scale *= constant
    if len(varying) > 1:
        raise wrong(line, "variables are multiplied with each other: write a linear term.")
    terms, constant = varying[0] if varying else ({}, 1.0)
    return _without_zeros({n: scale * value for n, value in terms.items()}), scale * constant
