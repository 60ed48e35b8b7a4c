"""The figure of what was proven: rows that are certified, broken, or neither."""

from collections.abc import Sequence

from pellucid.audit.finding import Finding, rows_of
from pellucid.audit.report.chart import Chart, Table, Trace, categories
from pellucid.audit.report.reading import column, of_stage, single
from pellucid.audit.report.words import norm, number, title

PARTS = {  # what each part is called, its colour and its pattern, which tells it without colour
    "certified": ("--good", ""),
    "undecided": ("--unsure", "/"),
    "broken": ("--bad", "x"),
}


def charts(found: Sequence[Finding]) -> list[Chart]:
    """One figure for each check by proof."""
    return [_chart(one) for one in of_stage(found, "prove") if rows_of(one, "by_epsilon")]


def _chart(finding: Finding) -> Chart:
    table = rows_of(finding, "by_epsilon")
    ball = norm(single(finding, "norm") or finding.check.rpartition(".")[2])
    radii = [f"{ball} {number(each)}" for each in column(table, "epsilon")]
    return Chart(
        slug=f"proof-{finding.check.replace('.', '-')}",
        title=f"What is proven ({title(finding.check)})",
        caption="Certified: no input within the radius changes the answer, which is a proof. "
        "Broken: an attack found one. Undecided: neither; these rows may be either.",
        traces=tuple(_part(name, column(table, name), radii) for name in PARTS),
        x={"title": {"text": "rows"}, "rangemode": "tozero"},
        y=categories(radii),
        height=150 + 36 * len(table),
        table=Table(
            caption="Rows by what is known of them",
            head=("radius", *PARTS),
            lines=tuple(
                (radius, *(number(each[name]) for name in PARTS))
                for radius, each in zip(radii, table, strict=True)
            ),
        ),
    )


def _part(name: str, counts: Sequence[object], radii: Sequence[str]) -> Trace:
    colour, pattern = PARTS[name]
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "x": [count if isinstance(count, int) else 0 for count in counts],
        "y": list(radii),
        "hovertemplate": f"{name}: %{{x}}<extra></extra>",
        "marker": {
            "color": f"var({colour})",
            "pattern": {
                "shape": pattern,
                "bgcolor": f"var({colour})",
                "fgcolor": "var(--paper)",
                "size": 7,
                "solidity": 0.2,
            },
        },
    }
