"""QuScore: a microbial genetic algorithm that begins where surrogates are deceived."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from pellucid.attack.evade._genes import Genes, Microbial, expressed, fitness, random_genes
from pellucid.attack.evade._surrogate_maps import SurrogateClimb
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox, ScoreBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch

LINF = Ball("linf", 8 / 255)


@dataclass(frozen=True, kw_only=True)
class QuScore:
    """Breed perturbations whose every value is at an end of the ball, a query a generation.

    Source: Abdukhamidov et al., arXiv 2023.
    Needs: ScoreBox; surrogates (GradBox); an Linf ball with a radius.
    Cost: population + generations queries a row; on each surrogate what `SurrogateClimb` says, for
        every individual.
    Differs: a child is asked about as soon as it is bred, so that no generation needs two queries;
        the first individual's climb begins at x, the others' at random points of the ball, and each
        value goes to the nearer end of what ball and bounds allow; maps are the surrogates' own
        gradients, at a weight that the paper does not give.
    """

    ball: Ball = LINF  # whose ends the values go to; in the user's units
    population: int = 5  # individuals a row
    crossover: float = 0.7  # chance of a loser's gene to become the winner's
    mutation: float = 0.001  # chance of a gene to turn over; 1 / values is more on tiny inputs
    generations: int = 50_000  # queries a row after those of the start
    transfer: bool = True  # begin where surrogates are deceived, else at random
    steps: int = 10  # gradient steps on the surrogates
    decay: float = 1.0  # what is left of earlier gradients at each of them
    weight: float = 1.0  # of keeping the surrogates' maps in these steps; 0: do not look at them
    pool: int = 4  # side of the squares that maps are averaged over, in pixels

    def __post_init__(self) -> None:
        if self.ball.radius is None or self.ball.norm != "linf":
            raise UserError("QuScore moves values to the ends of an Linf ball: give it a radius.")
        if self.population < 2 or self.steps < 1 or self.pool < 1:
            raise UserError(
                "QuScore needs two individuals, a step and squares of a pixel at least."
            )

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
        microbes = Microbial(crossover=self.crossover, mutation=self.mutation)
        genes = self.start(goal, x, rng, surrogates)
        value, won = fitness(box, goal, expressed(box.spec, x, radius, genes))
        for generation in range(self.generations + 1):
            if generation:
                loser, child = microbes.infect(genes, value, rng)
                got, won = fitness(box, goal, expressed(box.spec, x, radius, child[None]))
                row = torch.arange(len(rows))
                genes[loser, row], value[loser, row] = child, got[0]
            fittest = genes[value.nan_to_num(-torch.inf).argmax(0), torch.arange(len(rows))]
            whole = whole.index_copy(0, rows, expressed(box.spec, x, radius, fittest[None])[0])
            yield whole
            more = value.isfinite().all(0) & ~won
            if not bool(more.all()):
                box, goal, rng, rows, x = box[more], goal[more], rng[more], rows[more], x[more]
                genes, value = genes[:, more], value[:, more]
                if not len(rows):
                    return

    def start(self, goal: Goal, x: Batch, rng: Streams, surrogates: Sequence[GradBox]) -> Genes:
        """The first population: where surrogates are deceived, or at random."""
        shape, spec, radius = tuple(x.shape[1:]), surrogates[0].spec, self.ball.radius or 0
        if not self.transfer:
            return random_genes(rng, self.population, shape)
        climb = SurrogateClimb(
            ball=self.ball, steps=self.steps, decay=self.decay, weight=self.weight, pool=self.pool
        )
        away = radius * (2 * rng.uniform(self.population - 1, shape) - 1)
        z = climb(surrogates, goal, x, spec.clamp(torch.cat([x[None], x + away])))
        return z > (spec.clamp(x - radius) + spec.clamp(x + radius)) / 2
