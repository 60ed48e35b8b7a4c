"""LIME: a linear model of the target around a row, from rows with some of their parts hidden."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.box.protocols import ScoreBox
from pellucid.errors import UserError
from pellucid.explain._agreement import agreement
from pellucid.explain.attribution import Attribution
from pellucid.explain.perturb._game import Game, games, spread
from pellucid.explain.perturb._gathering import gathered
from pellucid.explain.perturb._hiding import Baseline
from pellucid.explain.perturb._regression import Members, Numbers, ridge
from pellucid.explain.superpixels import GRID, Superpixels
from pellucid.explain.targets import Target
from pellucid.rng import Streams
from pellucid.shapes import Batch


@dataclass(frozen=True, kw_only=True)
class LIME:
    """Fit the target by whether each part is shown, near samples counting most.

    A part's coefficient is spread evenly over its numbers.

    Source: Ribeiro et al., KDD 2016, section 3 and algorithm 1.
    Needs: ScoreBox; explains log-probabilities.
    Cost: samples queries a row.
    Differs: a ridge over all parts, as in the authors' package, not a lasso of a few; a vector's
        numbers are shown or hidden like the parts of an image.
    """

    samples: int = 1000  # the row itself, and copies with about half of the parts hidden
    width: float = 0.25  # of the kernel exp(-D^2 / width^2); D is the cosine distance to the row
    ridge: float = 1.0  # penalty on squared coefficients; the samples' weights are at most 1
    superpixels: Superpixels = GRID  # how the row is cut into parts
    baseline: Baseline = None  # what a hidden part shows; None: its mean, of a vector 0

    def __post_init__(self) -> None:
        if self.samples < 4 or self.width <= 0 or self.ridge < 0:
            raise UserError(
                f"LIME takes 4 samples or more, a width above 0 and a ridge of 0 or more, not "
                f"{self.samples}, {self.width:g} and {self.ridge:g}."
            )

    def __call__(
        self, box: ScoreBox, x: Batch, target: Target, rng: Streams
    ) -> Iterator[Attribution]:
        """Yield the coefficients, and how far two halves of the samples say the same."""
        parted = games(box, x, target, self.superpixels, self.baseline)
        found = ((rows, self._explain(game, rng[rows])) for rows, game in parted)
        yield from gathered(len(x), found)

    def _explain(self, game: Game, rng: Streams) -> Attribution:
        shown = rng.uniform(self.samples, (game.players,)) < 0.5
        shown[0] = True
        worth = game.worth(shown)
        fits = [self._fit(shown[:, row], worth[:, row]) for row in range(len(game.x))]
        coefficients, one, other = torch.stack(fits, 1)
        return Attribution(
            values=spread(coefficients, game.parts, game.x),
            agreement=agreement(one, other).to(game.x),
        )

    def _fit(self, members: Members, worth: Numbers) -> Tensor:
        """The coefficients in a row (3, players): of all samples, and of every other."""
        distance = 1 - members.double().mean(1).sqrt()
        weights = torch.exp(-((distance / self.width) ** 2))
        halves = (
            ridge(members[i::2], worth[i::2], weights[i::2], self.ridge / 2) for i in range(2)
        )
        return torch.stack([ridge(members, worth, weights, self.ridge), *halves])
