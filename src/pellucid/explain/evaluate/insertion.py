"""Insertion: how soon the model knows when what is said to matter most is shown."""

from dataclasses import dataclass

from pellucid.explain.evaluate._exchange import Exchange
from pellucid.explain.evaluate._removing import Blank
from pellucid.shapes import Batch, Each


@dataclass(frozen=True, kw_only=True)
class Insertion(Exchange):
    """Show the places one after the other, the highest values first: high scores are faithful.

    The score is the area under the target's probability over the share of places shown. It
    depends on the model as much as on the attribution, so a random order is measured beside, and
    `gain` is how far the score lies above that one's.

    Source: Petsiuk et al., BMVC 2018.
    Needs: ScoreBox; reads probabilities.
    Cost: (steps + 1) x (1 + orders) queries a row; no more steps than places.
    Differs: a step shows a twentieth of the places, where the paper shows one pixel
        (`steps=None`); the blur is as wide as the image asks, not 5 pixels; a random order beside.
    """

    baseline: Blank = "blur"  # what a place shows before: the blurred image, of a vector 0

    def ends(self, x: Batch, away: Batch) -> tuple[Batch, Batch]:
        """From nothing to the rows."""
        return away, x

    def gain(self, score: Each, random: Each) -> Each:
        """How far the score lies above that of random orders."""
        return score - random
