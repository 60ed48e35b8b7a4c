"""Small convex quadratic programs over numbers that are not negative, a batch of them at once."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Square = Float[Tensor, "n m m"]
Rows = Float[Tensor, "n m"]
Marks = Bool[Tensor, "n m"]

RIDGE = 1e-6  # added to a diagonal of ones: the answer is then one, and systems can be solved
WRONG = 1e-9  # by which a sign must be wrong, of the largest linear term
PATIENCE = 3  # full exchanges that do not help, before variables are exchanged one by one


def nonnegative_qp(quadratic: Square, linear: Rows, free: Marks) -> tuple[Rows, Marks]:
    """The minimum over v >= 0 of v' quadratic v / 2 + linear' v, for each of n programs.

    Block principal pivoting: guess which variables are free and which are held at zero, solve for
    the free ones, and exchange those whose sign, or whose slope at zero, is wrong. When that stops
    helping, Murty's rule exchanges one at a time, which ends. After Portugal, Judice and Vicente,
    Mathematics of Computation 1994.

    Args:
        quadratic: symmetric and positive semidefinite, in float64.
        linear: finite, in float64.
        free: the first guess; the answer's own is a good one for a program that changed a little.

    Returns:
        The minimum (n, m), and which of its variables are free.
    """
    scale = quadratic.diagonal(dim1=1, dim2=2).sqrt()
    scale = torch.where(scale > 0, scale, 1)
    quadratic = quadratic / scale[:, :, None] / scale[:, None, :]
    quadratic = quadratic + RIDGE * torch.eye(quadratic.shape[1]).to(quadratic)
    linear = linear / scale
    v, free = torch.zeros_like(linear), free.clone()
    least, patience = torch.full((len(v),), v.shape[1] + 1), torch.full((len(v),), PATIENCE)
    rows = torch.arange(len(v))
    while len(rows):
        v[rows], wrong = _solve(quadratic[rows], linear[rows], free[rows])
        count = wrong.sum(1)
        rows, wrong, count = rows[count > 0], wrong[count > 0], count[count > 0]
        better = count < least[rows]
        least[rows] = torch.where(better, count, least[rows])
        patience[rows] = torch.where(better, PATIENCE, patience[rows] - 1)
        free[rows] ^= torch.where(patience[rows, None] >= 0, wrong, _last(wrong))
    return v / scale, free


def _solve(quadratic: Square, linear: Rows, free: Marks) -> tuple[Rows, Marks]:
    """The minimum over the free variables alone, and which variables are on the wrong side."""
    both = free[:, :, None] & free[:, None, :]
    system = torch.where(both, quadratic, torch.eye(linear.shape[1]).to(linear))
    v = torch.linalg.solve(system, torch.where(free, -linear, 0))
    slope = torch.einsum("nij,nj->ni", quadratic, v) + linear
    near = -WRONG * linear.abs().amax(1, keepdim=True)
    return v, torch.where(free, v, slope) < near


def _last(wrong: Marks) -> Marks:
    """Of the marks of each row the last one alone."""
    place = torch.arange(wrong.shape[1])
    return wrong & (place == (wrong * place).amax(1, keepdim=True))
