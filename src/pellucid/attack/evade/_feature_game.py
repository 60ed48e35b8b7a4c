"""The game of Wicker et al.: one player picks keypoints, the other sets of pixels around them."""

from collections.abc import Sequence
from math import log

import torch

from pellucid.attack.evade._pixel_searches import Pixels, drawn
from pellucid.attack.evade._saliency import Saliency
from pellucid.attack.mcts import Player
from pellucid.rng import Streams

Line = tuple[int, ...]  # a keypoint, a set of pixels around it, a keypoint, and so on

RATE = 25  # of the weights' learning: the paper's code divides by it


class FeatureGame:
    """What may be played about one row, and what is known of its keypoints.

    Lines that change as many pixels as the best input found so far are over.
    """

    def __init__(
        self, saliency: Saliency, rng: Streams, *, pixels: int, sets: int, second: Player
    ) -> None:
        """Nothing has been played yet.

        Args:
            saliency: of the row.
            rng: the row's own stream.
            pixels: how many a set has, at most.
            sets: how many the second player can choose from at a keypoint.
            second: how the second player does it.
        """
        self._saliency, self._rng = saliency, rng
        self._pixels, self._sets = pixels, range(sets)
        self._second: Player = second
        self._weights = saliency.weights.clone()
        self._plays = torch.ones_like(self._weights)
        self._order = self._weights.argsort(descending=True, stable=True).tolist()
        self._changed: dict[Line, Pixels] = {(): ()}
        self.best = saliency.densities.shape[1] + 1  # changed pixels of the best input so far

    def player(self, line: Line) -> Player:
        """Keypoints are picked by who wants few pixels; pixels by the second player."""
        return self._second if len(line) % 2 else "maximiser"

    def moves(self, line: Line) -> Sequence[int]:
        """Keypoints, the strongest first; after one of them, sets."""
        if len(line) % 2:
            return self._sets
        pixels = self.changed(line)
        stuck = bool(line) and len(pixels) == len(self.changed(line[:-2]))
        return () if stuck or len(pixels) + 1 >= self.best else self._order

    def changed(self, line: Line) -> Pixels:
        """The pixels that a line changes; a keypoint without a set yet changes none."""
        whole = line[: len(line) - len(line) % 2]
        if whole not in self._changed:
            self._changed[whole] = self.move(self.changed(whole[:-2]), whole[-2])
        return self._changed[whole]

    def redraw(self) -> None:
        """Other sets of pixels, for a new tree."""
        self._changed = {(): ()}

    def move(self, pixels: Pixels, keypoint: int) -> Pixels:
        """The same pixels and a set around the keypoint."""
        keys = self._rng.uniform(1, (self._saliency.densities.shape[1],))[0, 0].double()
        return pixels + drawn(self._saliency.densities[keypoint], pixels, self._pixels, keys)

    def pick(self, number: float, *, explore: bool) -> int:
        """A keypoint by its weight; exploring, by that and how seldom it was played."""
        odds = self._weights
        if explore:
            odds = odds + (log(float(self._plays.sum())) / self._plays).sqrt()
        return int((odds.cumsum(0) > number * odds.sum()).long().argmax())

    def weigh(self, keypoint: int, gain: float) -> None:
        """A keypoint whose pixels raised the loss gains weight; one that lowered it loses some."""
        self._plays[keypoint] += 1
        self._weights[keypoint] += max(-1.0, min(1.0, gain)) / RATE
        self._weights.clamp_(min=0)
        total = self._weights.sum()
        self._weights = self._weights / total if total > 0 else self._saliency.weights.clone()
