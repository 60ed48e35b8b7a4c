"""The audit: opens a model, asks it about rows as they are and as attacks move them."""

import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from pellucid.answers import Answers
from pellucid.audit.access import named
from pellucid.audit.attacked import attacked
from pellucid.audit.clean import clean
from pellucid.audit.finding import Audit, Finding, NotTested
from pellucid.audit.folder import keeping, usable
from pellucid.audit.plan import Check, checks, shares
from pellucid.audit.sample import facts
from pellucid.audit.subject import subject
from pellucid.box.protocols import LADDER, Access, LabelBox, NoBox, demand, granted
from pellucid.box.views import fingerprint
from pellucid.data import Dataset
from pellucid.files import write_whole
from pellucid.goals import misled
from pellucid.machine import machine, versions
from pellucid.needs import needs
from pellucid.opening import Opened
from pellucid.progress import Listener, listening
from pellucid.runner import check_rows

BUDGET = 200_000  # questions
ROWS = 200
UNFINISHED = "unfinished"  # folder of the checkpoints, which go when the audit is done


class Stopped(KeyboardInterrupt):
    """Ctrl-C, with what had been found by then."""

    def __init__(self, audit: Audit) -> None:
        """Carry the unfinished audit."""
        super().__init__("stopped")
        self.audit = audit


def run(
    model: str | Opened | NoBox,
    *,
    data: str | Path | Dataset | None = None,
    access: Access | None = None,
    budget: int = BUDGET,
    seed: int = 0,
    rows: int | None = ROWS,
    out: str | Path | None = None,
    progress: bool | Listener | None = None,
) -> Audit:
    """Audit a model: its accuracy on rows as they are, and on rows that attacks have moved.

    Args:
        model: a name that `pellucid.open` takes, what `pellucid.opening.understand` makes of it,
            or an opened box.
        data: rows, or a name or path that `pellucid.data.find` takes; a builtin model brings its
            own.
        access: how much of the model may be seen; None for all that the box grants.
        budget: questions in all, the judge's and the opening's included.
        seed: decides what the attacks draw.
        rows: how many rows to take, the first ones; None for all.
        out: a folder for `audit.json`; a stopped audit goes on from what it keeps there.
        progress: show a bar (None: when standard error is a terminal), or a function to call.

    Raises:
        UserError: in a sentence, for anything that does not fit together.
        Stopped: on Ctrl-C; its `audit` holds what was found.
    """
    began = time.monotonic()
    about = subject(model, data, rows, access)
    box, chosen = about.box, about.data
    demand("An audit", LabelBox, box)
    check_rows("The data", chosen.x, box)
    misled(chosen.y).check(box.spec)
    planned, denied = _plan(box)
    budgets = shares(budget, about.opening.queries, len(chosen), [check.most for check in planned])
    folder = None if out is None else usable(Path(out))
    audit = Audit(
        finished=False,
        model=about.facts,
        data=facts(chosen),
        seed=seed,
        budget=budget,
        opening=about.opening,
        findings=(),
        not_tested=denied,
        versions=versions(),
        machine=machine(),
        seconds=0.0,
    )
    try:
        with listening(progress) as listener, _kept(folder):
            _write(audit, folder)  # in the place of an older audit's
            checked = zip(planned, budgets, strict=True)
            for finding in _findings(box, chosen, seed, [*checked], folder, listener):
                seconds = round(time.monotonic() - began, 3)
                audit = replace(audit, findings=(*audit.findings, finding), seconds=seconds)
                _write(audit, folder)
            audit = replace(audit, finished=True)
            _write(audit, folder)
    except KeyboardInterrupt:
        raise Stopped(audit) from None
    if folder is not None:
        shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
    return audit


def _plan(box: NoBox) -> tuple[list[Check], tuple[NotTested, ...]]:
    """The checks that the box allows, and why the others are not among them."""
    grants = granted(box)
    allowed, denied = [], []
    for check in checks(box.spec.dense()):
        wanted = needs(check.method).box
        if LADDER.index(wanted) <= LADDER.index(grants):
            allowed.append(check)
        else:
            reason = f"it needs access '{named(wanted)}', which was not granted"
            denied.append(NotTested(check=check.name, reason=reason))
    return allowed, tuple(denied)


def _findings(
    box: NoBox,
    data: Dataset,
    seed: int,
    planned: list[tuple[Check, int]],
    folder: Path | None,
    listener: Listener | None,
) -> Iterator[Finding]:
    """One finding a check, each as it comes; what a folder keeps of them is not asked again."""
    unfinished = None if folder is None else usable(folder / UNFINISHED)
    with _answers(unfinished, box) as answers:
        yield clean(box, data, answers)
        for done, (check, budget) in enumerate(planned):
            yield attacked(
                check,
                box,
                data,
                budget=budget,
                seed=seed,
                answers=answers,
                checkpoint=unfinished and unfinished / f"{check.name}.safetensors",
                progress=_part(listener, check.name, done, len(planned)),
            )


def _answers(folder: Path | None, box: NoBox) -> AbstractContextManager[Answers | None]:
    """Stored answers: checks ask for some twice; none if the model cannot be told from others."""
    if fingerprint(box) is None:
        return nullcontext()
    return Answers(":memory:" if folder is None else folder / "answers.sqlite")


def _part(listener: Listener | None, name: str, done: int, of: int) -> bool | Listener:
    """Tell of one check as a part of all of them; False: tell nobody."""
    if listener is None:
        return False
    return lambda p: listener(replace(p, title=name, share=(done + p.share) / of))


def _kept(folder: Path | None) -> AbstractContextManager[None]:
    return nullcontext() if folder is None else keeping(folder)


def _write(audit: Audit, folder: Path | None) -> None:
    if folder is not None:
        write_whole(folder / "audit.json", audit.to_json())
