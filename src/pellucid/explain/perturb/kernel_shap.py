"""KernelSHAP: Shapley values by one weighted regression on coalitions."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.box.protocols import ScoreBox
from pellucid.errors import UserError
from pellucid.explain._agreement import agreement
from pellucid.explain.attribution import Attribution
from pellucid.explain.perturb._coalitions import Plan, plan
from pellucid.explain.perturb._game import Game, games, spread
from pellucid.explain.perturb._gathering import gathered
from pellucid.explain.perturb._hiding import Baseline
from pellucid.explain.perturb._regression import Moments, summing_to
from pellucid.explain.superpixels import GRID, Superpixels
from pellucid.explain.targets import Target
from pellucid.rng import Streams
from pellucid.shapes import Batch


@dataclass(frozen=True, kw_only=True)
class KernelSHAP:
    """Share the target between the parts of a row: what each adds, on average over all orders.

    A part's share is spread evenly over its numbers, so that the values sum to the difference
    between the row and its baseline.

    Source: Lundberg and Lee, NeurIPS 2017, section 4.1.
    Needs: ScoreBox; explains log-probabilities.
    Cost: 2^parts queries a row where samples + 2 is not less, and exact; else samples + 2, or
        one fewer.
    Differs: one baseline instead of a sample of them; coalitions are drawn with their
        complements, and sizes of which all would be drawn are listed; no lasso.
    """

    samples: int = 2048  # coalitions besides nobody and everybody
    superpixels: Superpixels = GRID  # how the row is cut into parts
    baseline: Baseline = 0.0  # what a hidden part shows, in the user's units

    def __post_init__(self) -> None:
        if self.samples < 4:
            raise UserError(f"KernelSHAP takes 4 samples or more, not {self.samples}.")

    def __call__(
        self, box: ScoreBox, x: Batch, target: Target, rng: Streams
    ) -> Iterator[Attribution]:
        """Yield the shares, their gap, and how far two halves of the draws say the same."""
        parted = games(box, x, target, self.superpixels, self.baseline)
        found = ((rows, self._explain(game, rng[rows])) for rows, game in parted)
        yield from gathered(len(x), found)

    def _explain(self, game: Game, rng: Streams) -> Attribution:
        known, n = plan(game.players, self.samples), len(game.x)
        asked = [game.ends(), game.alike(known.listed), *known.draw(rng)]
        (nobody, everybody), *worth = game.worth(torch.cat(asked)).split([len(z) for z in asked])
        total = everybody - nobody
        gains = [each - nobody for each in worth]
        fits = [
            self._fit(known, [z[:, row] for z in asked[1:]], [y[:, row] for y in gains], total[row])
            for row in range(n)
        ]
        shares, one, other = torch.stack(fits, 1)
        values = spread(shares, game.parts, game.x)
        return Attribution(
            values=values,
            gap=(values.double().flatten(1).sum(1) - total).to(values),
            agreement=agreement(one, other).to(values),
        )

    def _fit(
        self, known: Plan, members: list[Tensor], gains: list[Tensor], total: Tensor
    ) -> Tensor:
        """The shares in a row (3, players): of all that was asked, and with either half drawn."""
        listed, one, other = map(Moments.of, members, gains, known.weights)
        every = (listed + one + other, listed + one + one, listed + other + other)
        return torch.stack([summing_to(total, moments) for moments in every])
