"""Master prints: how well one image can be made to fit many captions at once."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.attack.matches import Captions, matches
from pellucid.box.protocols import NoBox, demand
from pellucid.box.views import VIEWS
from pellucid.box.window import Window
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.ledger import Ledger
from pellucid.needs import Attack, needs
from pellucid.rng import Streams, ids_of
from pellucid.rows import Rows
from pellucid.runner import check_rows
from pellucid.shapes import Answer, Batch, Counts, Each, ScoreAnswer


@dataclass(frozen=True, kw_only=True, eq=False)
class Prints:
    """The best image of each row, and what it cost."""

    images: Batch
    scores: ScoreAnswer  # of all captions (n, captions), the held-out ones too
    least: Each  # the lowest score of a row's own captions
    queries: Counts
    gradients: Counts


def mine(
    method: Attack,
    box: NoBox,
    x: Batch,
    captions: Captions,
    *,
    seed: int = 0,
    data: tuple[Tensor, Tensor | None] | None = None,
    ids: Sequence[str] | None = None,
) -> Prints:
    """Of all images that a method asks about, the one that fits each row's captions best.

    The runner ends a row at a success, or keeps the nearest: it says whether there is a master
    print above a level. This says how high one can go: nothing ends a row but the method.

    Args:
        method: an attack that climbs the goal's margin, such as those of `clip-masterprints`.
        box: a model that answers a raw value a caption; `Captioned` makes one of any two towers.
        x: where to begin (n, *shape), for methods that do so from an image.
        captions: which of the model's captions each row is to fit (n, k).
        seed: decides, with each row's id, what it draws.
        data: images (m, *shape) of the attacker's own, for methods that want them.
        ids: names of the rows; by default the content of x and captions.

    Raises:
        UserError: in a sentence, for anything that does not fit together.
    """
    wants = needs(method)
    demand(type(method).__name__, wants.box, box)
    check_rows("The start", x, box)
    goal = matches(captions, x.new_ones(len(captions)))
    goal.check(box.spec)
    if len(captions) != len(x):
        raise UserError(f"There are captions for {len(captions)} rows, but {len(x)} images.")
    names = [a + b for a, b in zip(ids_of(x), ids_of(captions), strict=True)]
    ledger, best = Ledger(len(x)), Highest(x, goal, box.spec.answer.size)
    supplies = {
        "box": VIEWS[wants.box](Window(box, ledger, watch=best), torch.arange(len(x))),
        "goal": goal,
        "x": x,
        "rng": Streams(seed, names if ids is None else ids, x),
        "data": data,
        "budget": None,
    }
    unknown = wants.names - supplies.keys()
    if unknown:
        raise UserError(
            f"{type(method).__name__} wants {min(unknown)}, which mining does not give."
        )
    deque(method(**{name: supplies[name] for name in wants.names}), maxlen=0)
    return Prints(
        images=best.points,
        scores=best.scores,
        least=best.margin + 1,
        queries=ledger.queries,
        gradients=ledger.gradients,
    )


class Highest:
    """Watches questions and answers, and keeps what meets each row's goal by most."""

    def __init__(self, x: Batch, goal: Goal, outputs: int) -> None:
        """Nothing was seen yet."""
        self._goal = goal
        self.points = x.clone()
        self.scores = x.new_full((len(x), outputs), torch.nan)
        self.margin = x.new_full((len(x),), -torch.inf)

    def __call__(self, asked: Rows, answer: Answer, who: Counts, _number: Counts) -> None:
        """See what was asked (m, *shape), and of which row."""
        assert isinstance(asked, Tensor)  # images
        margin = self._goal[who].margin(answer).to(self.margin).nan_to_num(-torch.inf)
        top = self.margin.scatter_reduce(0, who, margin, "amax")
        hit = ((margin == top[who]) & (margin > self.margin[who])).nonzero()[:, 0]
        # one writer a row: of equally good images the first asked
        first = torch.full((len(top),), len(who)).scatter_reduce_(0, who[hit], hit, "amin")
        rows = (first < len(who)).nonzero()[:, 0]
        first = first[rows]
        self.points[rows], self.margin[rows] = asked[first], margin[first]
        self.scores[rows] = answer[first].to(self.scores)
