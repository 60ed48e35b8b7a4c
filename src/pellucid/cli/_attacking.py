"""Carries out what `pellucid attack` was asked for, and tells of it as JSON, a table and files."""

import json
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from pellucid.answers import Answers
from pellucid.audit.access import named
from pellucid.audit.folder import keeping, usable, write_arrays
from pellucid.audit.sample import facts
from pellucid.box.protocols import NoBox
from pellucid.cli._method import Method
from pellucid.cli._words import number, percent
from pellucid.data import Dataset
from pellucid.files import write_whole
from pellucid.goals import misled
from pellucid.machine import machine, versions
from pellucid.methods import to_json
from pellucid.needs import needs
from pellucid.opening import Opened
from pellucid.runner import run
from pellucid.runs import Interrupted, Run
from pellucid.statistics import clopper_pearson


@dataclass(frozen=True, kw_only=True)
class Order:
    """What was asked for."""

    system: str  # slug
    method: Method
    model: Opened
    access: str
    data: Dataset
    budget: int
    seed: int
    surrogates: tuple[Opened, ...] = ()  # the attacker's own models


@dataclass(frozen=True, kw_only=True)
class Report:
    """A run, and the order that it carries out."""

    order: Order
    run: Run

    def won(self) -> tuple[int, int]:
        """How many rows succeeded, of how many that were attacked at all."""
        attacked = self.run.attacked
        return int((self.run.success & attacked).sum()), int(attacked.sum())

    def interval(self) -> tuple[float, float] | tuple[None, None]:
        """The exact 95 % interval of the success rate; None if no row was attacked."""
        succeeded, attacked = self.won()
        if not attacked:
            return None, None
        low, high = clopper_pearson(succeeded, attacked)
        return float(low), float(high)

    def to_json(self) -> str:
        """One line of JSON."""
        low, high = self.interval()
        order = self.order
        told = {
            "finished": bool(self.run.finished.all()),
            "system": order.system,
            "method": json.loads(to_json(order.method)),
            "model": order.model.reference,
            "facts": order.model.told(),
            "notes": order.model.notes,
            "access": order.access,
            "surrogates": [one.reference for one in order.surrogates],
            "data": vars(facts(order.data)),
            "budget": order.budget,
            "seed": order.seed,
            "figures": self.run.summary() | {"success_low": low, "success_high": high},
            "versions": versions(),
            "machine": machine(),
        }
        return json.dumps(told, allow_nan=False)

    def table(self) -> Table:
        """The figures, a line each."""
        figures, order = self.run.summary(), self.order
        succeeded, attacked = self.won()
        made = Table(
            title=f"{type(order.method).__name__} on {order.model.reference}, {order.data.name}",
            title_justify="left",
            show_header=False,
            box=None,
            pad_edge=False,
        )
        for name, value in (
            ("rows", f"{len(self.run)}, of which {attacked} were right and so attacked"),
            ("succeeded", f"{succeeded}{self._rate()}"),
            ("median l2", number(figures["median_l2"])),
            ("median linf", number(figures["median_linf"])),
            ("queries a row", f"{number(figures['mean_queries']) or 0} on average"),
            ("answers bought", figures["paid"]),
            ("gradients", figures["gradients"]),
            ("judge's questions", figures["judged"]),
            ("calls", figures["calls"]),
            ("seconds", figures["seconds"]),
            ("status", ", ".join(self._statuses())),
        ):
            made.add_row(name, str(value))
        return made

    def keep(self, folder: Path) -> None:
        """Write `adversarial.npz` and `attack.json`; the run itself is the checkpoint."""
        arrays = {
            "x": self.run.x.numpy(),
            "y": self.order.data.y.numpy(),
            "adversarial": self.run.adversarial.numpy(),
            "success": self.run.success.numpy(),
        }
        write_arrays(folder / "adversarial.npz", arrays)
        write_whole(folder / "attack.json", f"{self.to_json()}\n")

    def _rate(self) -> str:
        low, high = self.interval()
        if low is None:
            return ""
        rate = percent(self.run.summary()["success_rate"])
        return f" ({rate}, 95 % interval {percent(low)} to {percent(high)})"

    def _statuses(self) -> list[str]:
        counted = dict.fromkeys(self.run.status)
        return [f"{self.run.status.count(status)} {status.value}" for status in counted]


def carry_out(
    order: Order, box: NoBox, folder: Path | None, kept_in: str | None = None
) -> tuple[Report, bool]:
    """Run the attack; what was found, and whether Ctrl-C ended it before its time.

    A folder keeps the run and its answers, so that the same order goes on where it stopped; the
    answers may be kept elsewhere, in a file or a database.

    Raises:
        UserError: in a sentence, for anything that does not fit together.
    """
    if folder is None:
        with nullcontext() if kept_in is None else Answers(kept_in) as answers:
            return _run(order, box, None, answers)
    with keeping(usable(folder)), Answers(kept_in or folder / "answers.sqlite") as answers:
        report, stopped = _run(order, box, folder / "run.safetensors", answers)
        report.keep(folder)
        return report, stopped


def _run(
    order: Order, box: NoBox, checkpoint: Path | None, answers: Answers | None
) -> tuple[Report, bool]:
    shown = needs(order.method).surrogates
    try:
        done = run(
            order.method,
            box,
            order.data.x,
            goal=misled(order.data.y),
            surrogates=[one.box(named(shown)) for one in order.surrogates if shown],
            budget=order.budget,
            seed=order.seed,
            checkpoint=checkpoint,
            answers=answers,
        )
    except Interrupted as stop:
        return Report(order=order, run=stop.run), True
    return Report(order=order, run=done), False
