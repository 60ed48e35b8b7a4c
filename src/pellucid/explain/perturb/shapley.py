"""Shapley values by their definition, over all coalitions of a few parts."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb

import torch
from torch import Tensor

from pellucid.box.protocols import ScoreBox
from pellucid.errors import UserError
from pellucid.explain.attribution import Attribution
from pellucid.explain.perturb._coalitions import every
from pellucid.explain.perturb._game import Game, games, spread
from pellucid.explain.perturb._gathering import gathered
from pellucid.explain.perturb._hiding import Baseline
from pellucid.explain.superpixels import Superpixels
from pellucid.explain.targets import Target
from pellucid.shapes import Batch

MOST = 12  # parts: 4096 queries
FEW = Superpixels(about=MOST)


@dataclass(frozen=True, kw_only=True)
class Shapley:
    """Share the target between a few parts of a row: what each adds, on average over all orders.

    A part's share is spread evenly over its numbers, so that the values sum to the difference
    between the row and its baseline.

    Source: Shapley, Contributions to the Theory of Games II, 1953.
    Needs: ScoreBox; explains log-probabilities; no more than 12 parts.
    Cost: 2^parts queries a row.
    Differs: the absence of a part is a baseline in its place.
    """

    superpixels: Superpixels = FEW  # how the row is cut into parts
    baseline: Baseline = 0.0  # what a hidden part shows, in the user's units

    def __call__(self, box: ScoreBox, x: Batch, target: Target) -> Iterator[Attribution]:
        """Yield the shares, with their gap."""
        parted = games(box, x, target, self.superpixels, self.baseline)
        yield from gathered(len(x), ((rows, self._explain(game)) for rows, game in parted))

    def _explain(self, game: Game) -> Attribution:
        if game.players > MOST:
            raise UserError(
                f"Exact Shapley values of {game.players} parts take 2^{game.players} queries a "
                f"row: cut the input into {MOST} parts or fewer, or use KernelSHAP."
            )
        coalitions = every(game.players)
        worth = game.worth(game.alike(coalitions))
        weights = _weights(coalitions).to(worth)
        # a product for each row, of numbers of its own: its bits do not depend on the others
        shares = [worth[:, row].clone() @ weights for row in range(len(game.x))]
        values = spread(torch.stack(shares), game.parts, game.x)
        total = worth[-1] - worth[0]
        return Attribution(
            values=values, gap=(values.double().flatten(1).sum(1) - total).to(values)
        )


def _weights(coalitions: Tensor) -> Tensor:
    """What the worth of each coalition adds to each player's value (coalitions, players).

    The share of the orders in which a player completes it, less those in which it comes next.
    """
    players = coalitions.shape[1]
    size = coalitions.sum(1)
    joins = [0.0] + [1 / (s * comb(players, s)) for s in range(1, players + 1)]
    leaves = joins[::-1]  # as s players of one side come before one, or after
    gain, loss = torch.tensor([joins, leaves], dtype=torch.float64)[:, size, None]
    return torch.where(coalitions, gain, -loss)
