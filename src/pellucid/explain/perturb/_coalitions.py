"""Which coalitions are asked about, and what each counts for in the Shapley kernel."""

from dataclasses import dataclass
from itertools import combinations
from math import comb

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.rng import Streams

Listed = Bool[Tensor, "k players"]
Weights = Float[Tensor, " k"]


def every(players: int) -> Listed:
    """All 2^players coalitions, from nobody to everybody; the first player flips fastest."""
    return (torch.arange(2**players)[:, None] >> torch.arange(players)) % 2 == 1


def mass(players: int, size: int) -> float:
    """What all coalitions of a size weigh together in the Shapley kernel (theorem 2)."""
    return (players - 1) / (size * (players - size))


@dataclass(frozen=True, eq=False, kw_only=True)
class Plan:
    """Coalitions that are all asked about, and how others are drawn, each with its complement."""

    listed: Listed
    kernel: Weights  # the weight of each that is listed
    sizes: list[int]  # of those that are drawn: at most half the players
    masses: list[float]  # what the sizes and their complements weigh together
    pairs: int  # to draw

    @property
    def weights(self) -> tuple[Tensor, Tensor, Tensor]:
        """What each coalition weighs that is listed, of the first half drawn, and of the second."""
        each = sum(self.masses) / (2 * max(1, self.pairs))
        counts = (2 * (self.pairs // 2), 2 * (self.pairs - self.pairs // 2))
        first, second = (self.kernel.new_full((count,), each) for count in counts)
        return self.kernel, first, second

    def draw(self, rng: Streams) -> tuple[Tensor, Tensor]:
        """Two halves of the draws (k, rows, players)."""
        players = self.listed.shape[1]
        numbers = rng.uniform(self.pairs, (1 + players,))
        bounds = numbers.new_tensor(self.masses).cumsum(0)
        where = numbers[..., 0].contiguous() * sum(self.masses)
        place = torch.bucketize(where, bounds[:-1], right=True)
        size = torch.tensor(self.sizes, device=numbers.device)[place]
        among = torch.arange(players, device=numbers.device) < size[..., None]
        drawn = torch.zeros_like(among).scatter(-1, numbers[..., 1:].argsort(-1), among)
        half = self.pairs // 2
        first, second = (torch.cat([some, ~some]) for some in (drawn[:half], drawn[half:]))
        return first, second


def plan(players: int, samples: int) -> Plan:
    """Spend so many samples: on all coalitions of a size where as many would be drawn anyhow.

    From the lightest and heaviest sizes inwards, which weigh most, as the authors' package does.
    """
    pairs_of = {size: _pair(players, size) for size in range(1, players // 2 + 1)}
    left, whole = samples, 2**players - 2 <= samples
    taken: list[int] = []
    for size, sides in pairs_of.items():
        count = comb(players, size) * len(sides)
        rest = sum(_mass(players, pairs_of[s]) for s in pairs_of if s not in taken)
        if not whole and left * _mass(players, sides) < count * rest:
            break
        taken, left = [*taken, size], left - count
    listed, kernel = _listed(players, [side for size in taken for side in pairs_of[size]])
    sizes = [size for size in pairs_of if size not in taken]
    return Plan(
        listed=listed,
        kernel=kernel,
        sizes=sizes,
        masses=[_mass(players, pairs_of[size]) for size in sizes],
        pairs=max(0, left // 2) if sizes else 0,
    )


def _pair(players: int, size: int) -> tuple[int, ...]:
    """A size and its complement's, if that is another."""
    return (size,) if 2 * size == players else (size, players - size)


def _mass(players: int, sides: tuple[int, ...]) -> float:
    return sum(mass(players, side) for side in sides)


def _listed(players: int, sizes: list[int]) -> tuple[Listed, Weights]:
    """All coalitions of some sizes, and the kernel's weight of each."""
    coalitions = [torch.zeros(0, players, dtype=torch.bool)]
    weights = [torch.zeros(0, dtype=torch.float64)]
    for size in sizes:
        members = torch.tensor([*combinations(range(players), size)])
        coalitions.append(torch.zeros(len(members), players).scatter(1, members, 1).bool())
        weights.append(weights[0].new_full((len(members),), mass(players, size) / len(members)))
    return torch.cat(coalitions), torch.cat(weights)
