"""Figures of what attacks do to the accuracy: against the radius, and against the questions."""

from collections.abc import Sequence

from pellucid.audit.finding import Figure, Finding, Lines, rows_of
from pellucid.audit.report.chart import SERIES, Chart, Table, Trace, line, points, shares
from pellucid.audit.report.reading import column, numeric, of_stage, single
from pellucid.audit.report.words import counted, interval, norm, number, percent, system

EPSILON = "epsilon"
WORST = "worst"  # falsify.worst.NORM: all attacks of a norm together


def charts(found: Sequence[Finding]) -> list[Chart]:
    """Two figures a norm."""
    attacks = [one for one in of_stage(found, "falsify") if rows_of(one, "by_epsilon")]
    norms = list(dict.fromkeys(str(single(one, "norm")) for one in attacks))
    made = []
    for name in norms:
        mine = [one for one in attacks if str(single(one, "norm")) == name]
        made.append(_by_epsilon(name, _first(mine)))
        asked = [one for one in mine if rows_of(one, "by_queries")]
        radius = _telling(_first(asked)) if asked else 0.0
        shown = [(one, table) for one in _first(asked) if (table := _at(one, radius))]
        made.extend([_by_queries(name, radius, shown)] if shown else [])
    return made


def weakest(finding: Finding) -> float:
    """The mean accuracy over the radii, by which attacks are put in order."""
    table = rows_of(finding, "by_epsilon")
    return sum(numeric(each, 1.0) for each in column(table, "accuracy")) / max(len(table), 1)


def together(finding: Finding) -> bool:
    """Whether it tells of all attacks of a norm together."""
    return finding.check.split(".")[1] == WORST


def _first(found: Sequence[Finding]) -> list[Finding]:
    """As many as one figure can show: the union first, then the strongest attacks."""
    return sorted(found, key=lambda one: (not together(one), weakest(one)))[:SERIES]


def _legend(finding: Finding) -> str:
    return "All together" if together(finding) else system(finding.system or finding.check)


def _by_epsilon(name: str, found: Sequence[Finding]) -> Chart:
    traces = [trace for i, one in enumerate(found) for trace in _falling(i, one)]
    radii = sorted(
        {numeric(e) for one in found for e in column(rows_of(one, "by_epsilon"), EPSILON)}
    )
    told = []
    for one in found:
        table = {numeric(each[EPSILON]): each for each in rows_of(one, "by_epsilon")}
        cells = [_share(table[e]) if e in table else "" for e in radii]
        told.append((_legend(one), *cells))
    return Chart(
        slug=f"accuracy-by-epsilon-{name}",
        title=f"Accuracy against the radius, {norm(name)}",
        caption=(
            "The share of rows that are still answered right when each may be moved by at most "
            f"epsilon in {norm(name)}, in the units of the input. The bands are 95 % intervals. "
            "Lower is worse for the model; the real curve can only lie below what attacks found."
        ),
        traces=tuple(traces),
        x={"title": {"text": f"epsilon ({norm(name)})"}, "range": [0, 1.03 * _farthest(found)]},
        y=shares("accuracy"),
        table=Table(
            caption=f"Accuracy within {norm(name)} radii, with 95 % intervals",
            head=("attack", *(number(e) for e in radii)),
            lines=tuple(told),
        ),
    )


def _farthest(found: Sequence[Finding]) -> float:
    """The largest epsilon that any of them tells of."""
    tables = [rows_of(one, name) for one in found for name in ("curve", "by_epsilon")]
    return max(numeric(each) for table in tables for each in column(table, EPSILON))


def _falling(i: int, finding: Finding) -> tuple[Trace, ...]:
    """A curve with its band; points where only the radii are known."""
    fine, name = rows_of(finding, "curve"), _legend(finding)
    if fine:
        return _stepped(i, name, fine, EPSILON)
    return (points(i, name, *_columns(rows_of(finding, "by_epsilon"), EPSILON)),)


def _stepped(i: int, name: str, table: Lines, what: str) -> tuple[Trace, ...]:
    return line(i, name, *_columns(table, what), steps=True, what=what)


def _columns(table: Lines, what: str) -> tuple[list[Figure], ...]:
    return tuple(column(table, name) for name in (what, "accuracy", "low", "high"))


def _by_queries(name: str, radius: float, shown: Sequence[tuple[Finding, Lines]]) -> Chart:
    stops = _stops(max(numeric(each["queries"]) for _, table in shown for each in table))
    lines = tuple((_legend(one), *(_after(table, q) for q in stops)) for one, table in shown)
    return Chart(
        slug=f"accuracy-by-queries-{name}",
        title=f"Accuracy against the questions asked, {norm(name)} {number(radius)}",
        caption=(
            "How fast the accuracy falls as an attacker puts more questions a row, within "
            f"{norm(name)} {number(radius)}: the least radius at which an attack takes more than "
            "half of the rows, or else the largest. The bands are 95 % intervals."
        ),
        traces=tuple(
            trace
            for i, (one, table) in enumerate(shown)
            for trace in _stepped(i, _legend(one), table, "queries")
        ),
        x={"title": {"text": "questions a row"}, "type": "log"},
        y=shares("accuracy"),
        table=Table(
            caption=f"Accuracy after so many questions a row, within {number(radius)}",
            head=("attack", *(number(int(q)) for q in stops)),
            lines=lines,
        ),
    )


def _at(finding: Finding, radius: float) -> Lines:
    """The points at a radius that a logarithmic axis can show."""
    table = rows_of(finding, "by_queries")
    return [e for e in table if numeric(e[EPSILON]) == radius and numeric(e["queries"]) >= 1]


def _stops(most: float) -> list[float]:
    """One, ten, a hundred questions and so on, and the last."""
    return [*(10.0**k for k in range(8) if 10**k < most), most]


def _after(table: Lines, questions: float) -> str:
    """The accuracy after so many questions."""
    asked = [each for each in table if numeric(each["queries"]) <= questions]
    return percent(asked[-1]["accuracy"]) if asked else ""


def _telling(found: Sequence[Finding]) -> float:
    """The least radius at which an attack takes more than half of the rows, or the largest."""
    known = [each for one in found for each in rows_of(one, "by_queries")]
    radii = sorted({numeric(each[EPSILON]) for each in known})
    broken = {numeric(e[EPSILON]) for e in known if numeric(e["accuracy"], 1.0) < 0.5}
    return min(broken, default=radii[-1])


def _share(each: dict[str, Figure]) -> str:
    return f"{percent(each['accuracy'])} ({interval(each['low'], each['high'])})"


def left_out(found: Sequence[Finding]) -> str:
    """A sentence on the attacks that the figures do not show, if there are any."""
    attacks = [one for one in of_stage(found, "falsify") if rows_of(one, "by_epsilon")]
    more = [
        f"{norm(name)}: {counted(count - SERIES, 'attack')}"
        for name in dict.fromkeys(str(single(one, "norm")) for one in attacks)
        if (count := sum(str(single(one, "norm")) == name for one in attacks)) > SERIES
    ]
    if not more:
        return ""
    return f"The figures show the {SERIES} strongest; not drawn are {', '.join(more)}."
