"""Audits: a model asked by every check that its spec, its access and a budget allow."""

from pathlib import Path

from pellucid.audit.audit import Stopped, carry_out
from pellucid.audit.document import Audit
from pellucid.audit.finding import Cost, Finding, NotTested
from pellucid.audit.plan import Plan
from pellucid.audit.preparing import Prepared, prepare
from pellucid.box.protocols import Access, NoBox
from pellucid.data import Dataset
from pellucid.opening import Opened
from pellucid.progress import Listener

__all__ = [
    "Audit",
    "Cost",
    "Finding",
    "NotTested",
    "Plan",
    "Prepared",
    "Stopped",
    "carry_out",
    "prepare",
    "run",
]


def run(
    model: str | Opened | NoBox,
    *,
    data: str | Path | Dataset | None = None,
    spec: str | Path | None = None,
    access: Access | None = None,
    plan: str | Plan = "quick",
    budget: int | None = None,
    seconds: float | None = None,
    seed: int = 0,
    rows: int | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    accepted: Path | None = None,
    answers: str | Path | None = None,
    progress: bool | Listener | None = None,
) -> Audit:
    """Audit a model: `prepare`, then `carry_out`, which say what each argument means.

    Raises:
        UserError: in a sentence, for anything that does not fit together.
        Stopped: on Ctrl-C; its `audit` holds what was found.
    """
    prepared = prepare(
        model, data=data, spec=spec, access=access, plan=plan, budget=budget, seed=seed, rows=rows
    )
    return carry_out(
        prepared,
        out=None if out is None else Path(out),
        resume=resume,
        seconds=seconds,
        accepted=accepted,
        answers=answers,
        progress=progress,
    )
