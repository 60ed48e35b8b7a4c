"""Audits as tables for the terminal: what is planned, and what was found."""

from collections.abc import Sequence

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from pellucid.audit.access import named
from pellucid.audit.document import Audit
from pellucid.audit.finding import Finding, NotTested, rows_of
from pellucid.audit.planner import ANY
from pellucid.audit.preparing import Prepared

MEASURED = (  # the figures of a finding that are shown, and their bounds
    ("accuracy", "low", "high"),
    ("ece", "low", "high"),
    ("gain", "gain_low", "gain_high"),
)
STYLES = {"none": "green", "low": "cyan", "medium": "yellow", "high": "red", "critical": "bold red"}


def findings(audit: Audit) -> Group:
    """One line a finding, and below them what was spent and what was not tested."""
    rows = f" on {audit.data.rows} rows of {audit.data.name}" if audit.data.rows else ""
    made = _table(escape(audit.model.reference + rows))
    for name in ("check", "severity", "questions"):
        made.add_column(name, no_wrap=True)
    made.add_column("what was found")
    for one in audit.findings:
        cells = (one.check, f"[{STYLES[one.severity]}]{one.severity}[/]")
        made.add_row(*cells, f"{one.cost.queries:,}", escape(_short(one)))
    return Group(made, "", *map(Text, _sentences(audit)))


def planned(prepared: Prepared) -> Group:
    """One line a check with what it may ask, and below them what will not be tested."""
    opening = prepared.subject.opening.queries
    made = _table(f"Plan {prepared.plan.name} for {prepared.subject.facts.reference}")
    for name in ("check", "access", "questions at least", "at most"):
        made.add_column(name, no_wrap=True)
    for part in prepared.planned:
        most = "its method's" if part.budget >= ANY else f"{part.budget:,}"
        made.add_row(part.check.name, named(part.check.access), f"{part.price.least:,}", most)
    least = sum(part.price.least for part in prepared.planned)
    lines = [f"At least {least:,} questions, besides {opening} that opening the model took."]
    if prepared.aside:
        lines.append(f"Up to {prepared.aside} more see to it that the model stays the same.")
    return Group(made, "", *map(Text, [*lines, *skipped(prepared.denied)]))


def skipped(not_tested: Sequence[NotTested]) -> list[str]:
    """A sentence for each reason why checks are left out."""
    reasons = dict.fromkeys(one.reason for one in not_tested)
    names = {why: [one.check for one in not_tested if one.reason == why] for why in reasons}
    return [f"Not tested: {', '.join(names[why])}, for {why}." for why in reasons]


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=None, pad_edge=False)


def _short(finding: Finding) -> str:
    """The finding in few words, where its figures allow that; the report has the whole."""
    figures, points = finding.figures, rows_of(finding, "by_epsilon")
    if finding.check.startswith("falsify.") and points:
        return ", ".join(
            f"{_percent(line['accuracy'])} at {line['epsilon']:.3g}" for line in points
        )
    if finding.check.startswith("prove."):
        rows = figures["rows"]
        parts = [f"{line['certified']} within {line['epsilon']:.3g}" for line in points]
        return f"certified of {rows}: {', '.join(parts)}"
    for share, low, high in MEASURED:
        if all(isinstance(figures.get(name), float) for name in (share, low, high)):
            worst = next((f"{v}: " for k, v in figures.items() if k.startswith("worst_")), "")
            name = "" if share == "accuracy" else f"{share} "
            numbers = [_percent(figures[key]) for key in (share, low, high)]
            return f"{worst}{name}{numbers[0]} ({numbers[1]} to {numbers[2]})"
    return finding.text


def _percent(share: object) -> str:
    return f"{share:.1%}" if isinstance(share, float) else "-"


def _sentences(audit: Audit) -> list[str]:
    cost, summary = audit.summary.cost, audit.summary
    allowed = "" if audit.budget is None else f" of {audit.budget:,}"
    said = [
        f"Spent {cost.queries:,}{allowed} questions ({audit.opening.queries} to open the model), "
        f"{cost.gradients:,} gradients and {cost.calls:,} calls in {audit.seconds:.1f} s."
    ]
    said += skipped(summary.not_tested)
    if audit.stopped is not None:
        said.append(f"The audit ended early: {audit.stopped}.")
    elif not audit.finished:
        said.append("The audit was stopped before its end; the same command goes on with --resume.")
    return said
