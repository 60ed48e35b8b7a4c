"""CLIPMasterPrints without gradients: evolves the latents of images that fit many captions."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.attack.evade._evolution import Evolution
from pellucid.attack.evade._principal import Principal
from pellucid.ball import Ball
from pellucid.box.protocols import ScoreBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch

ANYWHERE = Ball("linf")


@dataclass(frozen=True, kw_only=True)
class LatentEvolution:
    """Evolve the latent of an image by CMA-ES up the lowest score of the goal's captions.

    Source: Freiberger et al., arXiv 2023, their black-box latent variable evolution (LVE).
    Needs: ScoreBox; data, images that tell what images are; the extra `evolution`; the goal
        `matches` for captions, but any goal will do.
    Cost: population * generations queries a row, less where cma finds that nothing moves any more.
    Differs: the decoder is the principal components of `data`, where the paper has an autoencoder
        of 3136 numbers and never stops early.
    """

    ball: Ball = ANYWHERE  # where success counts; the image begins at a random latent, not at x
    components: int = 32  # numbers in a latent: principal components of the data, at most
    generations: int = 18_000  # of candidates; the paper has 50,000 for ImageNet's classes
    population: int | None = None  # candidates of a generation; None: 4 + floor(3 ln components)
    sigma: float = 1.0  # first standard deviation of candidates, in those of the data

    def __call__(
        self,
        box: ScoreBox,
        goal: Goal,
        x: Batch,
        data: tuple[Tensor, Tensor | None] | None,
        rng: Streams,
    ) -> Iterator[Batch]:
        """Yield the best candidate of each row's generation; done rows leave the work."""
        if data is None:
            raise UserError(
                "LatentEvolution learns what images are from data: pass data=(x, None)."
            )
        decoder = Principal.of(data[0], self.components)
        rows, best = torch.arange(len(x)), x
        searches = [
            Evolution(len(decoder), self.sigma, self.population, rng[row[None]]) for row in rows
        ]
        for _ in range(self.generations):
            # row by row: a product of all latents together has other bits in other company
            images = [decoder(searches[row].ask()).to(x) for row in rows.tolist()]
            tried = box.spec.clamp(torch.stack(images, 1))
            margin = goal[rows].margin(box[rows].scores(tried))
            answered = margin.isfinite().all(0)
            rows, margin, tried = rows[answered], margin[:, answered], tried[:, answered]
            if not len(rows):
                return
            best = best.index_copy(0, rows, tried[margin.argmax(0), torch.arange(len(rows))])
            yield best
            more = [
                searches[row].tell(-losses)
                for row, losses in zip(rows.tolist(), margin.T, strict=True)
            ]
            rows = rows[torch.tensor(more)]
            if not len(rows):
                return
