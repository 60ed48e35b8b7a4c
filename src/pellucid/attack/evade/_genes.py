"""Genes: each value of a row at one end of an Linf ball, and how such rows are bred."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.box.protocols import ScoreBox
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch, Counts, Draws, Verdicts
from pellucid.spec import Spec

Genes = Bool[Tensor, "k n *shape"]  # up or down, for each of k individuals of each row
Child = Bool[Tensor, "n *shape"]  # of one individual of each row
Fitness = Float[Tensor, "k n"]


def random_genes(rng: Streams, count: int, shape: tuple[int, ...]) -> Genes:
    """Up or down by a fair coin."""
    return rng.uniform(count, shape) < 0.5


def expressed(spec: Spec, x: Batch, radius: float, genes: Genes) -> Draws:
    """The inputs that genes stand for: each value as far up or down as ball and bounds allow."""
    return spec.clamp(torch.where(genes, x + radius, x - radius))


def fitness(box: ScoreBox, goal: Goal, asked: Draws) -> tuple[Fitness, Verdicts]:
    """The goal's loss of each individual (k, n), and which rows have one that meets the goal.

    Cost: a query an individual of each row, all in one call.
    """
    scores = box.scores(asked)
    return goal.loss(scores).double(), goal(scores).any(0)


@dataclass(frozen=True, kw_only=True)
class Microbial:
    """Two meet by chance, and the less fit of them takes on genes of the other.

    The microbial genetic algorithm of Harvey, ECAL 2009, on panmictic populations.
    """

    crossover: float  # how likely each gene of the loser is replaced by the winner's
    mutation: float  # how likely it is turned over after that

    def infect(self, genes: Genes, value: Fitness, rng: Streams) -> tuple[Counts, Child]:
        """Who lost in each row, and what it has become."""
        first, second = two_of(rng, len(genes))
        row = torch.arange(genes.shape[1])
        fitter = value[first, row] >= value[second, row]
        winner, loser = torch.where(fitter, first, second), torch.where(fitter, second, first)
        dice = rng.uniform(2, tuple(genes.shape[2:]))
        child = torch.where(dice[0] < self.crossover, genes[winner, row], genes[loser, row])
        return loser, child ^ (dice[1] < self.mutation)


def two_of(rng: Streams, count: int) -> tuple[Counts, Counts]:
    """Two different individuals of each row, any two alike."""
    dice = rng.uniform(1, (2,))[0]
    first, second = (dice[:, 0] * count).long(), (dice[:, 1] * (count - 1)).long()
    return first, second + (second >= first)
