"""A plain genetic algorithm over QuScore's genes: its rival in the claim."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor

from pellucid.attack.evade._genes import Fitness, Genes, expressed, fitness, two_of
from pellucid.attack.evade.quscore import QuScore
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox, ScoreBox
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch

Children = Bool[Tensor, "children n *shape"]  # one fewer than the population


@dataclass(frozen=True, kw_only=True)
class Generational:
    """The fittest stays as it is; all others are replaced by children of winners of two.

    Population, ball, start and chance of mutation are another's. The survivor's fitness is
    remembered, so that a generation costs population - 1 queries a row.
    """

    like: QuScore  # whose population and start are shared

    @property
    def ball(self) -> Ball:
        """The same."""
        return self.like.ball

    def __call__(
        self,
        box: ScoreBox,
        goal: Goal,
        x: Batch,
        rng: Streams,
        surrogates: Sequence[GradBox],
    ) -> Iterator[Batch]:
        """Yield the fittest of each row so far; rows that are done leave the work."""
        whole, rows, radius = x, torch.arange(len(x)), self.ball.radius or 0
        genes = self.like.start(goal, x, rng, surrogates)
        value, won = fitness(box, goal, expressed(box.spec, x, radius, genes))
        for generation in range(self.like.generations + 1):
            if generation:
                best, row = value.argmax(0), torch.arange(len(rows))
                children = self._children(genes, value, rng)
                got, won = fitness(box, goal, expressed(box.spec, x, radius, children))
                genes = torch.cat([genes[best, row][None], children])
                value = torch.cat([value[best, row][None], got])
            fittest = genes[value.nan_to_num(-torch.inf).argmax(0), torch.arange(len(rows))]
            whole = whole.index_copy(0, rows, expressed(box.spec, x, radius, fittest[None])[0])
            yield whole
            more = value.isfinite().all(0) & ~won
            if not bool(more.all()):
                box, goal, rng, rows, x = box[more], goal[more], rng[more], rows[more], x[more]
                genes, value = genes[:, more], value[:, more]
                if not len(rows):
                    return

    def _children(self, genes: Genes, value: Fitness, rng: Streams) -> Children:
        """Each of two parents, every gene from either alike, and then mutated."""
        row = torch.arange(genes.shape[1])
        children = []
        for _ in range(len(genes) - 1):
            parents = []
            for _ in range(2):
                first, second = two_of(rng, len(genes))
                fitter = value[first, row] >= value[second, row]
                parents.append(genes[torch.where(fitter, first, second), row])
            dice = rng.uniform(2, tuple(genes.shape[2:]))
            child = torch.where(dice[0] < 0.5, *parents)
            children.append(child ^ (dice[1] < self.like.mutation))
        return torch.stack(children)
