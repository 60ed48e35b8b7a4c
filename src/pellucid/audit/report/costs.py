"""What the audit cost, by check."""

from pellucid.audit.document import Audit
from pellucid.audit.finding import Cost
from pellucid.audit.report.chart import BAR, Chart, Table, Trace, categories, plain, tall
from pellucid.audit.report.words import counted, number, title

MOST = 15  # checks that are named; the others are added up


def chart(audit: Audit) -> Chart | None:
    """The questions by check; None if nothing was asked."""
    paid = _paid(audit)
    if not paid:
        return None
    named, others = paid[:MOST], paid[MOST:]
    counts = [(name, cost.queries, cost.gradients, cost.calls) for name, cost in named]
    if others:
        rest = sum((cost for _, cost in others), Cost())
        name = counted(len(others), "other check")
        counts.append((name, rest.queries, rest.gradients, rest.calls))
    names = [name for name, *_ in counts]
    bar: Trace = {
        "type": "bar",
        "orientation": "h",
        "showlegend": False,
        "x": [queries for _, queries, _, _ in counts],
        "y": [plain(name) for name in names],
        "hovertemplate": "%{y}: %{x:,} questions<extra></extra>",
        "marker": {"color": BAR},
    }
    return Chart(
        slug="questions-by-check",
        title="Questions by check",
        caption="One row put to the model once is one question.",
        traces=(bar,),
        x={"title": {"text": "questions"}, "rangemode": "tozero"},
        y=categories(names),
        height=tall(names),
        table=Table(
            caption="Costs by check",
            head=("check", "questions", "gradients", "calls"),
            lines=tuple((name, *(number(count) for count in rest)) for name, *rest in counts),
        ),
    )


def _paid(audit: Audit) -> list[tuple[str, Cost]]:
    """What has cost anything, the dearest first."""
    costs = [(title(one.check), one.cost) for one in audit.findings]
    whole = [("opening the model", audit.opening), *costs]
    return sorted(
        (each for each in whole if each[1] != Cost()), key=lambda each: (-each[1].queries, each[0])
    )
