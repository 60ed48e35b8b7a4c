"""Deletion: how fast the model lets go when what is said to matter most is taken away."""

from dataclasses import dataclass

from pellucid.explain.evaluate._exchange import Exchange
from pellucid.shapes import Batch, Each


@dataclass(frozen=True, kw_only=True)
class Deletion(Exchange):
    """Take the places away, the highest values first: the lower the score, the more faithful.

    The score is the area under the target's probability over the share of places taken away. It
    depends on the model as much as on the attribution, so a random order is measured beside, and
    `gain` is how far the score lies below that one's.

    Source: Petsiuk et al., BMVC 2018.
    Needs: ScoreBox; reads probabilities.
    Cost: (steps + 1) x (1 + orders) queries a row; no more steps than places.
    Differs: a step takes away a twentieth of the places, where the paper takes one pixel
        (`steps=None`); an image's mean in their stead; a random order beside.
    """

    def ends(self, x: Batch, away: Batch) -> tuple[Batch, Batch]:
        """From the rows to nothing."""
        return x, away

    def gain(self, score: Each, random: Each) -> Each:
        """How far the score lies below that of random orders."""
        return random - score
