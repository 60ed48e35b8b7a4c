"""The first sentence of the report: how bad it is, what broke, and what nobody looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pellucid.audit.document import Audit
from pellucid.audit.finding import Finding, NotTested, rows_of
from pellucid.audit.report.reading import numeric, of_stage, single
from pellucid.audit.report.robustness import together
from pellucid.audit.report.words import counted, interval, norm, number, percent, system, title
from pellucid.audit.severity import LEVELS, Level, worst

NAMED = 3  # checks that were not run and are told of in the first place


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What stands at the top."""

    level: Level
    headline: str
    untested: str  # what was not tested, and why
    caveat: str  # how far the rest goes


@dataclass(frozen=True, kw_only=True)
class Fallen:
    """The point of an attack's curve that tells most."""

    finding: Finding
    epsilon: float
    accuracy: float
    low: float
    high: float


def verdict(audit: Audit) -> Verdict:
    """The verdict on an audit."""
    return Verdict(
        level=worst([one.severity for one in audit.findings]),
        headline=_headline(audit),
        untested=_untested(audit.summary.not_tested),
        caveat=" ".join(_caveats(audit)),
    )


def fallen(found: Sequence[Finding], limit: float) -> Fallen | None:
    """Where attacks take the accuracy below a limit first, or else how far they take it."""
    points = [_point(one, limit) for one in found if rows_of(one, "by_epsilon")]
    return min(points, key=lambda p: (p.low >= limit, p.epsilon, p.accuracy), default=None)


def _point(finding: Finding, limit: float) -> Fallen:
    table = rows_of(finding, "by_epsilon")
    broken = [each for each in table if numeric(each["low"]) < limit]
    told = broken[0] if broken else table[-1]
    return Fallen(
        finding=finding,
        epsilon=numeric(told["epsilon"]),
        accuracy=numeric(told["accuracy"]),
        low=numeric(told["low"]),
        high=numeric(told["high"], 1.0),
    )


def _headline(audit: Audit) -> str:
    found, level = audit.findings, worst([one.severity for one in audit.findings])
    if not found:
        return "Nothing was tested."
    if level == "none":
        return f"Nothing beyond the limits was found in {counted(len(found), 'check')}."
    bad = [one for one in found if one.severity == level]
    attacks = of_stage(bad, "falsify")
    point = fallen(attacks, audit.limits.robust_accuracy)
    return _attacked(point, attacks) if point else bad[0].text


def _attacked(point: Fallen, attacks: Sequence[Finding]) -> str:
    one = point.finding
    said = (
        f"Moved by at most {number(point.epsilon)} ({norm(single(one, 'norm'))}), only "
        f"{percent(point.accuracy)} of the rows are still answered right "
        f"({interval(point.low, point.high)})"
    )
    if not together(one):
        return f"{said}: {_asking(one)} does that{_questions(one)}."
    alone = [(at, each) for each in attacks if (at := _accuracy(each, point)) is not None]
    if not alone:
        return f"{said}."
    left, best = min(alone, key=lambda pair: pair[0])
    return f"{said}; {_asking(best)} alone leaves {percent(left)}{_questions(best)}."


def _accuracy(attack: Finding, point: Fallen) -> float | None:
    """What one attack of the same norm leaves at the same radius; None for another."""
    if together(attack) or single(attack, "norm") != single(point.finding, "norm"):
        return None
    table = rows_of(attack, "by_epsilon")
    at = (numeric(e["accuracy"]) for e in table if numeric(e["epsilon"]) == point.epsilon)
    return next(at, None)


def _asking(attack: Finding) -> str:
    return system(attack.system or attack.check)


def _questions(attack: Finding) -> str:
    asked = single(attack, "most_queries")
    if asked is None:
        return ""
    return f" with at most {counted(int(numeric(asked)), 'question')} a row"


def _untested(skipped: Sequence[NotTested]) -> str:
    if not skipped:
        return "Every check of the plan was run."
    told = [f"{title(each.check)}, for {each.reason.rstrip('.')}" for each in skipped[:NAMED]]
    more = len(skipped) - NAMED
    rest = f"; and {counted(more, 'more check')}, below" if more > 0 else ""
    return f"Not tested: {'; '.join(told)}{rest}."


def _caveats(audit: Audit) -> Iterator[str]:
    if not audit.finished:
        why = f": {audit.stopped.rstrip('.')}" if audit.stopped else ""
        yield f"The audit ended before its plan did{why}."
    rows = counted(audit.data.rows, "row")
    yield f"Measured on {rows} of {audit.data.name} with {audit.model.access} access."
    if audit.accepted:
        yield f"{counted(len(audit.accepted), 'finding is', 'findings are')} accepted by an owner."
    yield from audit.lapsed
    yield "Attacks show what breaks; that they find nothing is no proof that there is nothing."


def counts(found: Sequence[Finding]) -> list[tuple[Level, int]]:
    """How many findings there are of each severity, the worst first."""
    return [(level, sum(one.severity == level for one in found)) for level in reversed(LEVELS)]
