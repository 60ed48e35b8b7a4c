"""Whether an endpoint is still the model that an audit began with: a few rows are asked again."""

from dataclasses import asdict, dataclass, replace

import torch
from pydantic import TypeAdapter
from torch import Tensor

from pellucid.answers import Answers
from pellucid.audit.check import Ground
from pellucid.audit.store import Store
from pellucid.box.protocols import ScoreBox
from pellucid.box.resending import booking
from pellucid.box.views import LabelView, ScoreView
from pellucid.box.window import Window
from pellucid.errors import UserError
from pellucid.ledger import Cost, Ledger

FACT = "steady"  # the name under which the audit's store keeps it
ROWS = 5  # that are asked about again
MOST, SHARE = 200, 20  # questions set aside, and at most such a part of the budget
NOISE = 1e-4  # in log-probabilities: what kernels that round anew may differ by


class Changed(UserError):
    """The model is not the one that the audit began with."""

    exit_code = 3


@dataclass(frozen=True, kw_only=True)
class Steady:
    """What was seen of an endpoint whenever the audit began or went on."""

    rows: int  # that are asked about each time, twice; the second time anew
    differed: int | None = None  # of them at the first look, once there was one
    queries: int = 0  # questions, in all looks together
    calls: int = 0
    unseen: int = 0  # how often nothing was left to look with

    @property
    def cost(self) -> Cost:
        """What all looks have cost."""
        return Cost(queries=self.queries, calls=self.calls)

    def notes(self) -> tuple[str, ...]:
        """Sentences on what a reader must know."""
        found = []
        if self.differed:
            found.append(
                f"Asked twice about the same {self.rows} rows, the model answered {self.differed} "
                f"of them differently ({self.differed / self.rows:.0%}): every figure is of one "
                "draw, and no look can tell whether the model was changed during the audit."
            )
        if self.unseen:
            found.append(
                "What the budget sets aside to see that the model stays the same was spent when "
                f"the audit went on (so {self.unseen} times): it may have been changed by then."
            )
        return tuple(found)


_STEADY = TypeAdapter(Steady)


def set_aside(budget: int | None) -> int:
    """Questions of a budget that are kept to look with, two at a time."""
    return MOST if budget is None else 2 * min(MOST // 2, budget // (2 * SHARE))


def steady(store: Store) -> Steady:
    """What was seen so far."""
    told = store.facts(FACT)
    return Steady(rows=0) if told is None else _STEADY.validate_python(told)


def look(ground: Ground, store: Store, aside: int) -> None:
    """Ask about a few rows as the audit does, and once more anew; every question is booked.

    Args:
        ground: the model, the rows and the store of answers.
        store: of the audit, which keeps what is seen.
        aside: questions for all looks of this audit together.

    Raises:
        Changed: the answers are not those that were bought before.
    """
    answers = ground.answers
    assert answers is not None
    kept = steady(store)
    if store.facts(FACT) is None:
        kept = replace(kept, rows=min(ROWS, len(ground.data), aside // 2))
    if kept.queries + 2 * kept.rows > aside:
        store.keep_facts(FACT, asdict(replace(kept, unseen=kept.unseen + 1)))
        return
    # booked before it is asked, so that a kill does not make it free
    kept = replace(kept, queries=kept.queries + 2 * kept.rows, calls=kept.calls + 2)
    store.keep_facts(FACT, asdict(kept))
    x = ground.data.x[: kept.rows]
    before = _asked(Window(ground.box, Ledger(len(x)), answers=answers), x)
    after = _anew(ground, answers, x)
    same = torch.isclose(before.double(), after.double(), atol=NOISE, rtol=0, equal_nan=True)
    differed = int((~same.reshape(len(x), -1).all(1)).sum())
    if kept.differed is None:
        store.keep_facts(FACT, asdict(replace(kept, differed=differed)))
    elif differed and not kept.differed:
        raise Changed(
            f"The model answers {differed} of {len(x)} rows otherwise than before this audit was "
            "stopped, so that its findings would be of two models: see what was changed, and "
            "begin anew by leaving --resume out."
        )


def _anew(ground: Ground, answers: Answers, x: Tensor) -> Tensor:
    """What the model answers now: booked as bought, but not stored."""
    requests = [answers.reserve(len(x))]

    def again(rows: int) -> None:
        answers.lose(requests[-1])
        requests.append(answers.reserve(rows))

    try:
        with booking(again):
            got = _asked(Window(ground.box, Ledger(len(x))), x)
    except BaseException:
        answers.lose(requests[-1])
        raise
    answers.put({}, requests[-1])
    return got


def _asked(window: Window, x: Tensor) -> Tensor:
    """As the audit's first check asks: for the most that is granted, up to scores."""
    rows = torch.arange(len(x))
    if isinstance(window.box, ScoreBox):
        return ScoreView(window, rows).scores(x)
    return LabelView(window, rows).labels(x)
