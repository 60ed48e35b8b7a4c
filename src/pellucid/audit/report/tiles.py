"""The few numbers that stand under the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass

from pellucid.audit.document import Audit
from pellucid.audit.finding import Finding, rows_of
from pellucid.audit.report.reading import numeric, of_stage, single
from pellucid.audit.report.verdict import fallen
from pellucid.audit.report.words import counted, interval, norm, number, percent

NORMS = 2  # tiles of robust accuracy


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One number."""

    name: str
    value: str
    note: str


def tiles(audit: Audit) -> list[Tile]:
    """Clean accuracy, accuracy under attack by norm, questions, time."""
    cost = audit.summary.cost
    spent = f"{counted(cost.gradients, 'gradient')}, {counted(cost.calls, 'call')}"
    return [
        _clean(audit),
        *_robust(audit.findings, audit.limits.robust_accuracy),
        Tile(name="Questions asked", value=number(cost.queries), note=spent),
        Tile(
            name="Time",
            value=_time(audit.seconds),
            note=f"started {audit.started[:16].replace('T', ' ')}",
        ),
    ]


def _clean(audit: Audit) -> Tile:
    share = audit.summary.clean_accuracy
    one = next((each for each in audit.findings if each.check == "clean.accuracy"), None)
    if share is None or one is None:
        return Tile(
            name="Clean accuracy",
            value="none",
            note=audit.summary.clean_reason or "it was not measured",
        )
    span = interval(single(one, "low"), single(one, "high"))
    return Tile(
        name="Clean accuracy",
        value=percent(share),
        note=f"{span} on {counted(int(numeric(single(one, 'rows'))), 'row')}",
    )


def _robust(found: Sequence[Finding], limit: float) -> list[Tile]:
    attacks = [one for one in of_stage(found, "falsify") if rows_of(one, "by_epsilon")]
    names = list(dict.fromkeys(str(single(one, "norm")) for one in attacks))[:NORMS]
    made = []
    for name in names:
        mine = [one for one in attacks if str(single(one, "norm")) == name]
        point = fallen(mine, limit)
        if point is not None:
            made.append(
                Tile(
                    name=f"Within {norm(name)} {number(point.epsilon)}",
                    value=percent(point.accuracy),
                    note=f"{interval(point.low, point.high)} stay right",
                )
            )
    return made


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
