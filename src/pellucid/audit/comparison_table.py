"""A comparison of two audits as a table for the terminal."""

from rich.console import Group
from rich.table import Table
from rich.text import Text

from pellucid.audit.compare import Change, Comparison

STYLES = {"regressed": "bold red", "improved": "green", "not comparable": "yellow"}
UNPAIRED = "*"


def table(comparison: Comparison) -> Group:
    """One line a check and one below it for each figure, then what else differs."""
    made = Table(box=None, pad_edge=False)
    for name in ("check", "verdict", "old", "new"):
        made.add_column(name, no_wrap=True)
    made.add_column("new less old, 95 %")
    for one in comparison.checks:
        style = STYLES.get(one.verdict, "")
        verdict = Text(one.verdict, style=style)
        made.add_row(Text(one.check), verdict, one.old or "-", one.new or "-", one.reason or "")
        for change in one.changes:
            made.add_row(*_cells(change))
    heads = [f"Old: {comparison.old}", f"New: {comparison.new}"]
    return Group(made, "", *map(Text, [*heads, *comparison.notes, _sentence(comparison)]))


def _cells(change: Change) -> tuple[str, ...]:
    said = "worse" if change.worse else "better" if change.better else ""
    interval = f"{change.low:+.1%} to {change.high:+.1%}{'' if change.paired else UNPAIRED}"
    return f"  {change.figure}", f"  {said}", f"{change.old:.1%}", f"{change.new:.1%}", interval


def _sentence(comparison: Comparison) -> str:
    if comparison.regressed:
        return f"Regressed: {', '.join(comparison.regressed)}."
    if not comparison.comparable:
        return "No check could be compared."
    return "Nothing regressed."
