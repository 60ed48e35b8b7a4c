"""Permutation importance: what the target loses when a part is taken from another row."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.box.protocols import ScoreBox
from pellucid.errors import UserError
from pellucid.explain._agreement import agreement
from pellucid.explain.attribution import Attribution
from pellucid.explain.perturb._game import Shares, block, by_count, spread
from pellucid.explain.perturb._gathering import gathered
from pellucid.explain.superpixels import GRID, Parts, Superpixels
from pellucid.explain.targets import Target
from pellucid.rng import Streams
from pellucid.shapes import Batch


@dataclass(frozen=True, kw_only=True)
class PermutationImportance:
    """Switch one part at a time with that of rows of the data, and average the drops.

    The mean of the values over many rows explains the model as a whole: where the target is each
    row's own label, it is the rise of the cross-entropy when a part is permuted. A part's drop is
    spread evenly over its numbers.

    Source: Breiman, Machine Learning 2001, section 10; Fisher et al., JMLR 2019, equation 3.
    Needs: ScoreBox; explains log-probabilities; data to take parts from.
    Cost: repeats x parts + 1 queries a row.
    Differs: each row draws the rows that it switches with, itself too if it is in the data; a
        difference, not a ratio.
    """

    repeats: int = 6  # rows that each part is taken from
    superpixels: Superpixels = GRID  # how the row is cut into parts

    def __post_init__(self) -> None:
        if self.repeats < 2:
            raise UserError(f"Permutation importance takes 2 repeats or more, not {self.repeats}.")

    def __call__(
        self,
        box: ScoreBox,
        x: Batch,
        target: Target,
        rng: Streams,
        data: tuple[Tensor, Tensor | None],
    ) -> Iterator[Attribution]:
        """Yield the mean drops, and how far two halves of the repeats say the same."""
        others = data[0].to(x)
        if box.spec.input.lead(others) != (len(others),) or not len(others):
            raise UserError("Parts are taken from rows of the data: give at least one row.")
        parts = self.superpixels(box.spec, x)
        found = (
            (rows, self._explain(box[rows], x[rows], target[rows], rng[rows], others, parts[rows]))
            for rows, _ in by_count(parts)
        )
        yield from gathered(len(x), found)

    def _explain(
        self, box: ScoreBox, x: Batch, target: Target, rng: Streams, others: Tensor, parts: Parts
    ) -> Attribution:
        players = int(parts.max()) + 1
        part = torch.arange(players, device=x.device).repeat(self.repeats)
        draws = rng.uniform(1, (len(part),))[0].T.double()
        donors = (draws * len(others)).long().clamp_max(len(others) - 1)
        before = target(box.scores(x)).double()
        after = torch.cat(
            [
                target(box.scores(self._switched(x, others[donor], parts, some))).double()
                for donor, some in zip(donors.split(block(x)), part.split(block(x)), strict=True)
            ]
        )
        drops = (before - after).unflatten(0, (self.repeats, players))
        return Attribution(
            values=spread(_mean(drops), parts, x),
            agreement=agreement(_mean(drops[::2]), _mean(drops[1::2])).to(x),
        )

    def _switched(self, x: Batch, donors: Tensor, parts: Parts, some: Tensor) -> Tensor:
        """The rows with one part from a donor (k, n, *shape)."""
        k, n = donors.shape[:2]
        taken = (parts == some[:, None, None])[:, :, None]
        shown = torch.where(
            taken, donors.reshape(k, n, -1, parts.shape[1]), x.reshape(n, -1, parts.shape[1])
        )
        return shown.reshape(donors.shape)


def _mean(drops: Tensor) -> Shares:
    """Of drops (repeats, players, n) the mean of each player, added in their order."""
    return (sum(drops.unbind(), torch.zeros_like(drops[0])) / len(drops)).T
