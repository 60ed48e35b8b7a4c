"""Weighted least squares of what coalitions are worth on who is in them, one row at a time.

All rows at once, the bits of a row would depend on where its matrices lie in memory, and so on
the other rows. Here each row's numbers are copied to a place of their own.
"""

from dataclasses import dataclass
from typing import Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Members = Bool[Tensor, "k players"]  # who is in each coalition
Numbers = Float[Tensor, " k"]  # one a coalition, in float64
Coefficients = Float[Tensor, " players"]

LITTLE = 1e-10  # weights of samples sum to about 1 or more


@dataclass(frozen=True, eq=False, kw_only=True)
class Moments:
    """What a fit needs to know of its samples; sums of them are of more samples."""

    square: Tensor  # sum of w z z'
    cross: Tensor  # sum of w z y

    @classmethod
    def of(cls, members: Members, worth: Numbers, weights: Numbers, *, level: bool = False) -> Self:
        """Of coalitions, their worths and weights; with a `level` besides the players'."""
        z = torch.cat([members, torch.ones_like(members[:, :1])], 1) if level else members
        z = z.double()
        weighted = weights[:, None] * z
        return cls(square=weighted.T @ z, cross=weighted.T @ worth.clone())

    def __add__(self, other: Self) -> Self:
        return type(self)(square=self.square + other.square, cross=self.cross + other.cross)


def summing_to(total: Tensor, moments: Moments) -> Coefficients:
    """The coefficients that fit best among those whose sum is `total`."""
    ones = torch.ones_like(moments.cross)
    both = torch.stack([moments.cross, ones], -1)
    free, pull = torch.linalg.solve(_regular(moments.square), both).unbind(-1)
    return free - (free.sum() - total) / pull.sum() * pull


def ridge(members: Members, worth: Numbers, weights: Numbers, penalty: float) -> Coefficients:
    """The coefficients of a fit with an intercept, which is not penalised."""
    moments = Moments.of(members, worth, weights, level=True)
    penalties = torch.full_like(moments.cross, penalty)
    penalties[-1] = 0
    square = _regular(moments.square) + penalties.diag()
    return torch.linalg.solve(square, moments.cross)[:-1]


def _regular(square: Tensor) -> Tensor:
    """A matrix that can be solved: what samples do not tell apart gets coefficients alike."""
    return square + LITTLE * torch.eye(len(square)).to(square)
