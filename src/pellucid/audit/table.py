"""An audit as a table for the terminal."""

from rich.table import Table

from pellucid.audit.finding import Audit, Finding


def table(audit: Audit) -> Table:
    """One line a finding, and below them what was spent and what was not tested."""
    made = Table(
        title=f"{audit.model.reference} on {audit.data.rows} rows of {audit.data.name}",
        title_justify="left",
        caption=" ".join(_sentences(audit)),
        caption_justify="left",
        box=None,
        pad_edge=False,
    )
    for name in ("check", "access", "ball", "accuracy", "95 % interval", "median", "questions"):
        made.add_column(name, no_wrap=True)
    for finding in audit.findings:
        made.add_row(*_cells(finding))
    return made


def _cells(finding: Finding) -> tuple[str, ...]:
    figures, cost = finding.figures, finding.cost
    ball = f"{figures['norm']} {number(figures['epsilon'])}" if finding.system else ""
    return (
        finding.check,
        finding.access,
        ball,
        percent(figures["accuracy"]),
        f"{percent(figures['low'])} to {percent(figures['high'])}",
        number(figures.get("median_distance")),
        f"{cost.queries:,}",
    )


def _sentences(audit: Audit) -> list[str]:
    cost = audit.cost
    said = [
        f"Spent {cost.queries:,} of {audit.budget:,} questions ({audit.opening.queries} to open "
        f"the model), {cost.gradients:,} gradients and {cost.calls:,} calls in "
        f"{audit.seconds:.1f} s."
    ]
    said += [f"Not tested: {one.check}, for {one.reason}." for one in audit.not_tested]
    if not audit.finished:
        said.append("The audit was stopped before its end.")
    return said


def percent(share: object) -> str:
    """A share as a percentage."""
    return f"{share:.1%}" if isinstance(share, float) else ""


def number(value: object) -> str:
    """A number to three digits."""
    return f"{value:.3g}" if isinstance(value, float) else ""
