"""The audit: the checks of a plan, one after another, and what each of them found."""

import shutil
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import inf
from pathlib import Path

from pellucid.answers import Answers
from pellucid.audit.accepted import Acceptance, standing
from pellucid.audit.accepted import read as read_accepted
from pellucid.audit.chance import not_above_chance
from pellucid.audit.check import CannotTest
from pellucid.audit.document import CLEAN, Audit
from pellucid.audit.finding import Found, NotTested
from pellucid.audit.folder import keeping, ready
from pellucid.audit.outputs import handed_out, write, write_json
from pellucid.audit.planner import Planned
from pellucid.audit.preparing import Prepared
from pellucid.audit.steady import look, steady
from pellucid.audit.store import FILE, Store
from pellucid.box.views import fingerprint
from pellucid.errors import UserError
from pellucid.ledger import OutOfTime
from pellucid.machine import machine, versions
from pellucid.progress import Listener, listening

UNFINISHED = "unfinished"  # folder of the checkpoints, which go when the audit is done
AGAIN = "run the same command again with --resume"
NO_ACCURACY = "there are no labelled rows, or no check of them"
IGNORANT = "the model knows nothing of the rows: it is not above chance"
LATE = "the time that was allowed, which was over"


class Stopped(KeyboardInterrupt):
    """Ctrl-C, with what had been found by then."""

    def __init__(self, audit: Audit) -> None:
        """Carry the unfinished audit."""
        super().__init__("stopped")
        self.audit = audit


def carry_out(
    prepared: Prepared,
    *,
    out: Path | None = None,
    resume: bool = False,
    seconds: float | None = None,
    accepted: Path | None = None,
    answers: Path | str | None = None,
    progress: bool | Listener | None = None,
) -> Audit:
    """Make the checks that were planned.

    Args:
        prepared: the model, the rows, and the plan.
        out: a folder for the reports and for what the audit keeps; None keeps nothing.
        resume: go on with the audit in that folder, or write its reports anew if it is done.
        seconds: stop after so long; what is not tested then is said, and another call goes on.
        accepted: a TOML file of findings that someone bears; see `pellucid.audit.accepted`.
        answers: where bought answers are kept, a file or a PostgreSQL database that audits may
            share (see `pellucid.answers.Answers`); None: in the folder.
        progress: show a bar (None: when standard error is a terminal), or a function to call.

    Raises:
        UserError: in a sentence, for a folder that cannot be used or holds another audit.
        Stopped: on Ctrl-C; its `audit` holds what was found.
    """
    began = time.monotonic()
    if seconds is not None and not seconds > 0:
        raise UserError(f"An audit needs time, but seconds is {seconds}.")
    borne = () if accepted is None else read_accepted(accepted, prepared.checks())
    folder = None if out is None else ready(out, resume=resume)
    with keeping(folder, AGAIN), Store(":memory:" if folder is None else folder / FILE) as store:
        _agree(prepared, store, folder)
        work = _Work(
            prepared=prepared,
            store=store,
            folder=folder,
            seconds=seconds,
            borne=borne,
            kept_in=answers,
            began=began,
        )
        try:
            with listening(progress) as listener:
                work.checks(listener)
        except KeyboardInterrupt:
            audit = work.told(finished=False)
            write(audit, store, folder)
            raise Stopped(audit) from None
        audit = work.told(finished=not work.late)
        write(audit, store, folder)
    if folder is not None and audit.finished:
        shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
    return audit


def _agree(prepared: Prepared, store: Store, folder: Path | None) -> None:
    """Begin a store, or see that it holds this very audit."""
    settings, kept = prepared.settings(), store.facts("settings")
    if kept is None:
        data = prepared.ground.data
        store.keep_arrays("data", {"x": data.x.numpy(), "y": data.y.numpy()})
        store.keep_facts("started", {"at": datetime.now(UTC).isoformat(timespec="seconds")})
        store.keep_facts("settings", settings)
        for one in prepared.denied:
            store.skip(one)
        return
    changed = [name for name in settings if kept.get(name) != settings[name]]
    if changed:
        raise UserError(
            f"{folder} holds an audit with another {', '.join(changed)}: repeat its command, or "
            "leave --resume out to begin anew beside it."
        )


@dataclass(kw_only=True, eq=False)
class _Work:
    """One call's work on an audit."""

    prepared: Prepared
    store: Store
    folder: Path | None
    seconds: float | None
    borne: tuple[Acceptance, ...]
    kept_in: Path | str | None  # bought answers; None: in the folder
    began: float  # on the monotonic clock
    late: list[NotTested] = field(default_factory=list)  # what the clock kept from being tested
    stopped: str | None = None  # why the audit ended before its plan did
    looked: bool = False  # whether this call has seen that an endpoint stays the same

    def checks(self, listener: Listener | None) -> None:
        """Make the checks that the store does not hold yet, and keep what each of them finds."""
        earlier = self.store.found()
        over = {one.check for one in self.store.not_tested()} | earlier.keys()
        parts = self.prepared.planned
        with self._answers() as answers:
            for done, part in enumerate(parts):
                if part.check.name not in over and not self._closed(part, earlier):
                    self._look(answers)
                    found = self._check(part, earlier, answers, _part(listener, done, len(parts)))
                    if found is not None:
                        earlier[part.check.name] = found
                        write_json(self.told(finished=False), self.folder)

    def told(self, *, finished: bool) -> Audit:
        """The audit as the store has it."""
        prepared, about, seen = self.prepared, self.prepared.subject, steady(self.store)
        started, kept = self.store.facts("started") or {}, self.store.findings()
        today = datetime.now(UTC).date()
        stands = standing(self.borne, kept, model=about.facts.reference, today=today)
        blank = Audit(
            finished=finished,
            stopped=self.stopped,
            accepted=stands.reasons(),
            lapsed=tuple(stands.warnings()),
            model=replace(about.facts, notes=(*about.facts.notes, *seen.notes())),
            data=prepared.data,
            plan=prepared.plan_facts(),
            limits=prepared.plan.limits,
            seed=prepared.ground.seed,
            budget=prepared.budget,
            allowed_seconds=self.seconds,
            opening=about.opening + seen.cost,
            versions=versions(),
            machine=machine(),
            started=str(started.get("at")),
            seconds=round(time.monotonic() - self.began, 3),
        )
        skipped = [*self.store.not_tested(), *self.late]
        reason = next((one.reason for one in skipped if one.check == CLEAN), NO_ACCURACY)
        return blank.with_findings(kept, skipped, reason)

    def _check(
        self,
        part: Planned,
        earlier: dict[str, Found],
        answers: Answers | None,
        progress: bool | Listener,
    ) -> Found | None:
        """What a check finds; None, and the reason is kept, if it cannot be made."""
        unfinished = None if self.folder is None else self.folder / UNFINISHED
        ground = replace(
            self.prepared.ground,
            earlier=earlier,
            answers=answers,
            unfinished=unfinished,
            progress=progress,
            deadline=inf if self.seconds is None else self.began + self.seconds,
        )
        try:
            found = handed_out(part.check(ground, part.budget))
        except CannotTest as reason:
            self.store.skip(NotTested(check=part.check.name, reason=str(reason)))
            return None
        except OutOfTime:
            self.late.append(NotTested(check=part.check.name, reason=LATE))
            return None
        self.store.add(found)
        return found

    def _closed(self, part: Planned, earlier: dict[str, Found]) -> bool:
        """Whether no more is to be tested: the model knows nothing, or the time is over."""
        if self.stopped is None and CLEAN in earlier:
            self.stopped = not_above_chance(self.prepared.ground, earlier[CLEAN].finding)
        if self.stopped is not None:
            self.store.skip(NotTested(check=part.check.name, reason=IGNORANT))
        elif self.late:
            self.late.append(NotTested(check=part.check.name, reason=LATE))
        return self.stopped is not None or bool(self.late)

    def _look(self, answers: Answers | None) -> None:
        """Before the first check of this call: see that an endpoint is the model it was."""
        if not self.looked and self.prepared.aside and answers is not None:
            look(replace(self.prepared.ground, answers=answers), self.store, self.prepared.aside)
        self.looked = True

    def _answers(self) -> AbstractContextManager[Answers | None]:
        """Stored answers: checks ask for some twice; none if models cannot be told apart."""
        prepared = self.prepared
        if fingerprint(prepared.ground.box) is None:
            return nullcontext()
        budget = None
        if prepared.budget is not None:
            budget = prepared.budget - prepared.subject.opening.queries
        if self.kept_in is not None:
            return Answers(self.kept_in, purse=prepared.digest(), budget=budget)
        if self.folder is None:
            return Answers(budget=budget)
        paid = prepared.subject.paid  # what was bought is worth keeping
        place = self.folder if paid else self.folder / UNFINISHED
        place.mkdir(exist_ok=True)
        return Answers(place / "answers.sqlite", budget=budget)


def _part(listener: Listener | None, done: int, of: int) -> bool | Listener:
    """Tell of one check as a part of all of them; False: tell nobody."""
    if listener is None:
        return False
    return lambda p: listener(replace(p, share=(done + p.share) / of))
