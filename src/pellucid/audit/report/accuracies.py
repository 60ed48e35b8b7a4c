"""Figures of the clean stage: classes, slices, calibration and corruptions."""

from collections.abc import Callable, Mapping, Sequence

from pellucid.audit.finding import Figure, Finding, Lines, rows_of
from pellucid.audit.report.chart import (
    SERIES,
    Chart,
    Table,
    Trace,
    bars,
    categories,
    line,
    plain,
    shares,
    tall,
)
from pellucid.audit.report.reading import column, numeric
from pellucid.audit.report.words import interval, number, percent

MOST = 30  # bars in one figure


def charts(found: Sequence[Finding]) -> list[Chart]:
    """One figure for each finding of the stage that has a table."""
    by_check = {one.check: one for one in found}
    return [draw(by_check[c]) for c, draw in DRAWN.items() if c in by_check and _has(by_check[c])]


def _has(finding: Finding) -> bool:
    return any(isinstance(value, list) and value for value in finding.figures.values())


def _classes(finding: Finding) -> Chart:
    return _barred(finding, "classes", "class", "Accuracy by class")


def _slices(finding: Finding) -> Chart:
    return _barred(finding, "slices", "slice", "Accuracy by slice")


def _barred(finding: Finding, table_name: str, name: str, title: str) -> Chart:
    whole = rows_of(finding, table_name)
    table = whole
    if len(whole) > MOST:
        table = sorted(whole, key=lambda each: numeric(each["low"], 1.0))[:MOST]
    names = [str(each) for each in column(table, name)]
    told = [f"{n}: {_share(each)}" for n, each in zip(names, table, strict=True)]
    low, high = column(table, "low"), column(table, "high")
    cut = f"The {MOST} worst of {len(whole):,}; all stand in audit.json."
    return Chart(
        slug=f"accuracy-by-{name}",
        title=title,
        caption=f"The share of rows of each {name} that are answered right, as they stand. The "
        "whiskers are 95 % intervals: few rows give wide ones.",
        traces=(bars(names, column(table, "accuracy"), low, high, told),),
        x=shares("accuracy"),
        y=categories(names),
        height=tall(names),
        table=Table(
            caption=title,
            head=(name, "rows", "accuracy", "95 % interval"),
            lines=tuple(map(_line, names, table)),
            note=cut if len(whole) > MOST else "",
        ),
    )


def _share(each: Mapping[str, Figure]) -> str:
    told = f"{percent(each['accuracy'])} ({interval(each['low'], each['high'])})"
    return f"{told} of {number(each['rows'])} rows" if "rows" in each else told


def _reliability(finding: Finding) -> Chart:
    table = [each for each in rows_of(finding, "bins") if each["rows"]]
    x, y = column(table, "confidence"), column(table, "accuracy")
    low, high = column(table, "low"), column(table, "high")
    ideal: Trace = {
        "type": "scatter",
        "mode": "lines",
        "name": "perfectly calibrated",
        "x": [0, 1],
        "y": [0, 1],
        "hoverinfo": "skip",
        "line": {"dash": "dot", "width": 1.5, "color": "var(--quiet)"},
    }
    return Chart(
        slug="reliability",
        title="Reliability: what its confidence is worth",
        caption="Rows in bins of confidence. On the dotted line a model is right as often as it "
        "says; points below it are overconfident. The band is a 95 % interval, and it is wide "
        "where few rows fall in a bin.",
        traces=(ideal, *line(0, "this model", x, y, low, high, what="confidence")),
        x=shares("confidence"),
        y=shares("accuracy"),
        table=Table(
            caption="Bins of the reliability diagram",
            head=("confidence", "rows", "accuracy", "95 % interval"),
            lines=tuple(
                (
                    percent(e["confidence"]),
                    number(e["rows"]),
                    percent(e["accuracy"]),
                    interval(e["low"], e["high"]),
                )
                for e in table
            ),
        ),
    )


def _corruptions(finding: Finding) -> Chart:
    table = rows_of(finding, "corruptions")
    if len(set(column(table, "strength"))) == 1:
        return _of_one_strength(table)
    kinds = list(dict.fromkeys(str(each) for each in column(table, "corruption")))
    parts = {kind: [e for e in table if e["corruption"] == kind] for kind in kinds}
    traces = [t for i, k in enumerate(kinds[:SERIES]) for t in _kind(i, k, parts[k])]
    strengths = sorted({numeric(each) for each in column(table, "strength")})
    return Chart(
        slug="corruptions",
        title="Accuracy under common corruptions",
        caption="The share of rows that are answered right after ordinary damage, by its strength "
        "(1 is mild, 5 is severe). No attacker is at work here.",
        traces=tuple(traces),
        x={"title": {"text": "strength"}, "tickvals": list(strengths)},
        y=shares("accuracy"),
        table=Table(
            caption="Accuracy under corruptions, with 95 % intervals",
            head=("corruption", *(f"strength {number(s)}" for s in strengths)),
            lines=tuple((kind, *_cells(parts[kind], strengths)) for kind in kinds),
        ),
    )


def _of_one_strength(table: Lines) -> Chart:
    """Bars, for lines would be points."""
    strength = number(table[0]["strength"])
    names = [str(each) for each in column(table, "corruption")]
    told = [f"{n}: {_share(each)}" for n, each in zip(names, table, strict=True)]
    low, high = column(table, "low"), column(table, "high")
    return Chart(
        slug="corruptions",
        title=f"Accuracy under common corruptions of strength {strength}",
        caption="The share of rows that are answered right after ordinary damage (strength 1 is "
        "mild, 5 is severe). No attacker is at work here. The whiskers are 95 % intervals.",
        traces=(bars(names, column(table, "accuracy"), low, high, told),),
        x=shares("accuracy"),
        y=categories(names),
        height=tall(names),
        table=Table(
            caption="Accuracy under corruptions",
            head=("corruption", "rows", "accuracy", "95 % interval"),
            lines=tuple(map(_line, names, table)),
        ),
    )


def _line(name: str, each: Mapping[str, Figure]) -> tuple[str, ...]:
    span = interval(each["low"], each["high"])
    return name, number(each["rows"]), percent(each["accuracy"]), span


def _cells(part: Lines, strengths: Sequence[float]) -> list[str]:
    at = {numeric(each["strength"]): each for each in part}
    return [_share(at[s]) if s in at else "" for s in strengths]


def _kind(i: int, name: str, table: Lines) -> tuple[Trace, ...]:
    """One corruption's line; the intervals of many would hide each other, so they are told."""
    x, y = column(table, "strength"), column(table, "accuracy")
    (drawn,) = line(i, name, x, y, what="strength")
    told: Trace = {"text": [plain(f"{name}, strength {e['strength']}: {_share(e)}") for e in table]}
    return (drawn | told,)


DRAWN: dict[str, Callable[[Finding], Chart]] = {
    "clean.classes": _classes,
    "clean.slices": _slices,
    "clean.calibration": _reliability,
    "clean.corruptions": _corruptions,
}
