"""What stands before an audit: the model opened, the rows chosen, the plan priced."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import xxhash

from pellucid.audit.check import Check, Ground
from pellucid.audit.checks.specified import Specified, specifications
from pellucid.audit.document import DataFacts, PlanFacts
from pellucid.audit.finding import NotTested
from pellucid.audit.plan import Plan
from pellucid.audit.plan import plan as read_plan
from pellucid.audit.planner import Planned, planned
from pellucid.audit.sample import facts
from pellucid.audit.steady import set_aside
from pellucid.audit.subject import Subject, subject
from pellucid.box.protocols import Access, LabelBox, NoBox, demand
from pellucid.data import Dataset
from pellucid.errors import UserError
from pellucid.goals import misled
from pellucid.machine import versions
from pellucid.opening import Opened
from pellucid.runner import check_rows

PAID = 200_000  # questions in all, where each costs more than time and no budget is given
FEWEST = 2  # classes among the labels


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """An audit that has not begun."""

    subject: Subject
    plan: Plan
    data: DataFacts
    ground: Ground
    planned: tuple[Planned, ...]
    denied: tuple[NotTested, ...]
    budget: int | None  # questions in all, the judge's and the opening's included
    aside: int  # of them, to see that an endpoint stays the same

    def settings(self) -> dict[str, object]:
        """What must be the same for an audit to go on."""
        model = self.subject.facts
        return {
            "model": model.fingerprint or model.reference,
            "data": self.data.digest,
            "access": model.access,
            "plan": self.plan.digest,
            "seed": self.ground.seed,
            "budget": self.budget,
            "version": versions()["pellucid"],
        }

    def digest(self) -> str:
        """A hash of what must be the same."""
        return xxhash.xxh3_128_hexdigest(json.dumps(self.settings(), sort_keys=True).encode())

    def checks(self) -> tuple[str, ...]:
        """The names of all checks of the plan, also of those that cannot be made."""
        return tuple(check.name for check in self.plan.checks)

    def plan_facts(self) -> PlanFacts:
        """Which plan is followed."""
        names = tuple(part.check.name for part in self.planned)
        return PlanFacts(name=self.plan.name, digest=self.plan.digest, checks=names)


def prepare(
    model: str | Opened | NoBox,
    *,
    data: str | Path | Dataset | None = None,
    spec: str | Path | None = None,
    access: Access | None = None,
    plan: str | Plan = "quick",
    budget: int | None = None,
    seed: int = 0,
    rows: int | None = None,
) -> Prepared:
    """Open the model, choose the rows, and plan; nothing but the opening asks the model.

    Args:
        model: a name that `pellucid.open` takes, what `pellucid.opening.understand` makes of it,
            or an opened box.
        data: rows, or a name or path that `pellucid.data.find` takes; a builtin model brings its
            own.
        spec: a VNN-LIB file, or a folder of them; with it, data may be left out, and then nothing
            is tested but these properties.
        access: how much of the model may be seen; None for all that it grants.
        plan: the name of a builtin plan, or the path of one in TOML.
        budget: questions in all, the judge's and the opening's included; None for as many as the
            plan can use, or 200,000 where each costs more than time.
        seed: decides what the attacks draw.
        rows: how many rows to take, the first ones; None for as many as the plan says.

    Raises:
        UserError: in a sentence, for anything that does not fit together.
    """
    chosen = plan if isinstance(plan, Plan) else read_plan(plan)
    added = () if spec is None else specifications(spec)
    about = subject(
        model, data, chosen.rows if rows is None else rows, access, rowless=spec is not None
    )
    if about.data is None:
        chosen = replace(chosen, checks=())
    else:
        _check(about.box, about.data)
    chosen = _with(chosen, added)
    allowed = PAID if budget is None and about.paid else budget
    ground = Ground(
        box=about.box,
        data=_nothing(about.box) if about.data is None else about.data,
        limits=chosen.limits,
        seed=seed,
        opened=about.opened,
    )
    aside = set_aside(allowed) if about.paid and about.data is not None else 0
    parts, denied = planned(chosen.checks, ground, allowed, about.opening.queries + aside)
    return Prepared(
        subject=about,
        plan=chosen,
        data=_no_data() if about.data is None else facts(about.data),
        ground=ground,
        planned=parts,
        denied=denied,
        budget=allowed,
        aside=aside,
    )


def _check(box: NoBox, data: Dataset) -> None:
    """What could be wrong with the rows, before anything is asked about them."""
    demand("An audit", LabelBox, box)
    check_rows("The data", data.x, box)
    misled(data.y).check(box.spec)
    if len(data.y.unique()) < FEWEST:
        raise UserError(
            f"The {len(data)} rows are all of one class, on which any model that names it is "
            "right: take rows of several classes."
        )


def _with(plan: Plan, added: tuple[Specified, ...]) -> Plan:
    """The plan with some specifications, whose texts are part of it."""
    if not added:
        return plan
    checks: tuple[Check, ...] = (*plan.checks, *added)
    texts = [plan.digest.encode(), *(Path(one.path).read_bytes() for one in added)]
    digest = xxhash.xxh3_128_hexdigest(b"\0".join(texts))
    return replace(plan, checks=checks, digest=digest)


def _nothing(box: NoBox) -> Dataset:
    """No rows, where only specifications are checked."""
    shape = box.spec.dense().shape
    none = torch.zeros(0, dtype=torch.long)
    return Dataset(
        name="", split=None, x=torch.zeros(0, *shape), y=none, low=None, high=None, class_names=()
    )


def _no_data() -> DataFacts:
    return DataFacts(name="no rows", split=None, rows=0, digest="")
