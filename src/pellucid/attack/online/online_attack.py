"""An attack on a stream: items are attacked as they come, and the best are sent on attacked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.attack.evade.fgsm import FGSM
from pellucid.attack.online.picking import Picking
from pellucid.attack.online.selector import Selector
from pellucid.attack.online.virtual_plus import VirtualPlus
from pellucid.ball import Ball, spread
from pellucid.box.protocols import GradBox, ScoreBox, WhiteBox
from pellucid.box.views import VIEWS, ScoreView
from pellucid.box.window import Window
from pellucid.errors import UserError
from pellucid.goals import Goal, misled
from pellucid.ledger import Cost, Ledger
from pellucid.needs import Attack, needs
from pellucid.rng import Streams, ids_of
from pellucid.runner import check_rows
from pellucid.shapes import Batch, Each, Verdicts

HANDED = frozenset({"box", "goal", "x", "rng"})
RULE, STEP = VirtualPlus(), FGSM(ball=Ball("linf", 0.1))


@dataclass(frozen=True, eq=False, kw_only=True)
class Sent:
    """What became of items that came together."""

    x: Batch  # what is sent on: attacked where picked, else as it came
    picked: Verdicts
    value: Each  # by which they were judged: the loss of the attacked item
    cost: Cost  # what was asked of the surrogate


@dataclass(frozen=True, kw_only=True)
class OnlineAttack:
    """Attack the items of a stream that a selector finds most worth it, never more than `picks`.

    Each item is attacked on a model of the attacker's own as it comes; the selector sees the
    cross-entropy that the attack ends on, and decides at once and for good.

    Source: Mladenovic et al., ICLR 2022, on the stochastic variant; with a judge, the exact one.
    Needs: a surrogate with gradients; how many items will come.
    Cost: of the surrogate, what the attack asks and a query an item; of a judge, a query an item.
    Differs: nothing that is known.
    """

    selector: Selector = RULE  # which items to pick
    attack: Attack = STEP  # what to do to them
    picks: int = 10  # how many may be attacked
    exhaust: bool = True  # pick all of the last items if there are no more than may be picked

    def __post_init__(self) -> None:
        wants = needs(self.attack)
        if wants.box is WhiteBox or not wants.names <= HANDED:
            raise UserError(
                f"{type(self.attack).__name__} needs more than gradients, a goal, rows and random "
                "numbers: choose another attack for a stream."
            )

    def run(
        self,
        surrogate: GradBox,
        stream: Iterable[tuple[Tensor, Tensor]],
        *,
        items: int,
        judge: ScoreBox | None = None,
        seed: int = 0,
    ) -> Iterator[Sent]:
        """Yield what is sent on for each part of the stream, before the next part is looked at.

        Args:
            surrogate: what attacks are made on, and by default judged by.
            stream: rows (n, *shape) with their classes (n,), as they come: one by one, or several
                at once, not always as many.
            items: how many rows will come in all.
            judge: a model whose loss decides instead: the one under attack, if it can be asked.
            seed: decides, with each row's content, what the attack draws.

        Raises:
            UserError: rows or classes do not fit the model, or more come than were announced.
        """
        picking = Picking(self.selector, items=items, picks=self.picks, exhaust=self.exhaust)
        for x, y in stream:
            check_rows("The stream", x, surrogate)
            goal = misled(y)
            goal.check(surrogate.spec)
            window = Window(surrogate, Ledger(len(x)))
            z = self._last(window, goal, x, seed)
            asked = ScoreView(window, torch.arange(len(x))) if judge is None else judge
            value = goal.loss(asked.scores(z)).detach()
            picked = torch.tensor([picking.offer(each) for each in value.tolist()])
            sent = torch.where(spread(picked, x), z, x)
            yield Sent(x=sent, picked=picked, value=value, cost=window.ledger.cost)

    def _last(self, window: Window, goal: Goal, x: Batch, seed: int) -> Batch:
        """The point that the attack ends on, for each row; no row stops at a success."""
        wants, z = needs(self.attack), x
        supplies = {
            "box": VIEWS[wants.box](window, torch.arange(len(x))),
            "goal": goal,
            "x": x,
            "rng": Streams(seed, ids_of(x), x),
        }
        for iterate in self.attack(**{name: supplies[name] for name in wants.names}):
            z = iterate
        return z.detach()
