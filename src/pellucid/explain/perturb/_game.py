"""Parts of an input as players: what a coalition of them is worth to the target."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.box.protocols import ScoreBox
from pellucid.explain.perturb._hiding import Baseline, hidden
from pellucid.explain.superpixels import Parts, Superpixels
from pellucid.explain.targets import Target
from pellucid.runner import ROWS_AT_ONCE
from pellucid.shapes import Batch, RowNumbers

Coalitions = Bool[Tensor, "k n players"]  # who is present
Worth = Float[Tensor, "k n"]  # the target, in float64
Shares = Float[Tensor, "n players"]  # what each player counts for, in float64

AT_ONCE = 2**24  # numbers asked about at once: 64 MB
BLOCKS = (25, 1000)  # fewest and most probes of a question


def block(x: Batch) -> int:
    """How many probes one question has: a matter of a row's size alone."""
    fewest, most = BLOCKS
    return min(most, max(fewest, AT_ONCE // (ROWS_AT_ONCE * x[0].numel())))


@dataclass(frozen=True, eq=False, kw_only=True)
class Game:
    """Rows of which each has as many players."""

    box: ScoreBox
    target: Target
    x: Batch
    absent: Batch  # the rows with everything hidden
    parts: Parts
    players: int

    def worth(self, coalitions: Coalitions) -> Worth:
        """The target with all parts hidden but those present; one query a row and coalition."""
        return torch.cat([self._ask(some) for some in coalitions.split(block(self.x))])

    def _ask(self, coalitions: Coalitions) -> Worth:
        k, n, _ = coalitions.shape
        present = coalitions.gather(-1, self.parts.expand(k, -1, -1))
        shown, absent = (rows.reshape(n, -1, present.shape[-1]) for rows in (self.x, self.absent))
        asked = torch.where(present[:, :, None], shown, absent).reshape(k, *self.x.shape)
        return self.target(self.box.scores(asked)).double()

    def alike(self, coalitions: Bool[Tensor, "k players"]) -> Coalitions:
        """The same coalitions in every row."""
        return coalitions.to(self.x.device)[:, None].expand(-1, len(self.x), -1)

    def ends(self) -> Coalitions:
        """Nobody, and everybody."""
        return self.alike(torch.tensor([[False], [True]]).expand(-1, self.players))


def spread(shares: Shares, parts: Parts, x: Batch) -> Batch:
    """Each player's share in equal pieces over the numbers of its part: the sum stays."""
    ones = torch.ones_like(parts, dtype=shares.dtype)
    sizes = torch.zeros_like(shares).scatter_add(1, parts, ones)
    channels = x[0].numel() // parts.shape[1]
    pieces = (shares / (channels * sizes)).gather(1, parts)
    return pieces[:, None].expand(-1, channels, -1).reshape(x.shape).to(x)


def by_count(parts: Parts) -> Iterator[tuple[RowNumbers, int]]:
    """The rows that have as many parts, and how many those are."""
    counts = parts.amax(1) + 1
    for players in counts.unique().tolist():
        yield (counts == players).nonzero()[:, 0], players


def games(
    box: ScoreBox, x: Batch, target: Target, superpixels: Superpixels, baseline: Baseline
) -> Iterator[tuple[RowNumbers, Game]]:
    """The rows, those with as many parts together."""
    parts = superpixels(box.spec, x)
    absent = hidden(baseline, box.spec, x, parts)
    for rows, players in by_count(parts):
        yield (
            rows,
            Game(
                box=box[rows],
                target=target[rows],
                x=x[rows],
                absent=absent[rows],
                parts=parts[rows],
                players=players,
            ),
        )
