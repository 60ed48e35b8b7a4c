"""Feature-guided search: a tree of games over keypoints, for inputs with few changed pixels."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor

from pellucid.attack.evade._feature_game import FeatureGame
from pellucid.attack.evade._picture import planes
from pellucid.attack.evade._pixel_searches import (
    Pixels,
    Reply,
    Search,
    backtracked,
    dice,
    lockstep,
)
from pellucid.attack.evade._saliency import SALIENCIES, SaliencyName
from pellucid.attack.mcts import Player, Tree
from pellucid.ball import Ball
from pellucid.box.protocols import ScoreBox
from pellucid.errors import UserError
from pellucid.goals import Goal
from pellucid.rng import Streams
from pellucid.shapes import Batch

L2 = Ball("l2")


@dataclass(frozen=True, kw_only=True)
class FeatureGuidedMCTS:
    """Search a game by upper confidence bounds: keypoints are picked, and pixels around them.

    A pixel that is changed goes to the far end of its bounds in all channels. Each line of the game
    is played on by chance until the goal is met, and then pixels are put back that it can do
    without. Rewards grow as fewer pixels are left.

    Source: Wicker et al., TACAS 2018.
    Needs: ScoreBox; scikit-image (extra `explain`) for SIFT.
    Cost: one query a row, then for each simulation at most `moves` + 1 and those of putting back:
        for each size of `restore` the changed pixels over it.
    Differs: what is kept is the nearest in the ball's norm, among inputs with few changed pixels;
        pixels are drawn from the keypoints' Gaussians within the picture, without repeats; the
        second player has `sets` draws to choose from, and others when all lines are done; a row's
        keypoints keep what they have learnt through all roll-outs, and learn from the goal's loss;
        a move is undone if the loss falls.
    """

    ball: Ball = L2  # the norm to measure in; a radius is not sought, only required
    simulations: int = 1000  # lines that are looked into; the paper's code has 10 to 100
    pixels: int = 6  # that a move changes
    sets: int = 4  # of pixels, from which the second player chooses at a keypoint
    second: Player = "maximiser"  # as few pixels as may be, as many, or whatever comes
    saliency: SaliencyName = "sift"  # where keypoints are
    enlarge: int = 15  # how much wider SIFT sees the picture: 1 for large ones
    widen: float = 15.0  # added to a keypoint's size, in enlarged pixels
    explore: float = sqrt(2)  # weight of what is not known, in the tree
    moves: int = 100  # of a roll-out, at most
    slack: float = 4 / 3  # times the fewest pixels so far, that a roll-out may change
    restore: tuple[int, ...] = (10, 1)  # pixels that are put back at a time, in passes

    def __post_init__(self) -> None:
        least = min(self.simulations, self.pixels, self.sets, self.enlarge, *self.restore)
        if least < 1 or not self.widen > 0:
            raise UserError(
                "Simulations, pixels, sets, enlarge and restore are whole numbers from 1 up, and "
                "widen is positive."
            )

    def __call__(self, box: ScoreBox, goal: Goal, x: Batch, rng: Streams) -> Iterator[Batch]:
        """Yield what was asked last about each row; rows that are done leave the work."""
        searches = [
            self._search(self._game(one, rng[row]), dice(rng[row]))
            for one, row in zip(x, torch.arange(len(x)).split(1), strict=True)
        ]
        yield from lockstep(box, goal, x, searches)

    def _game(self, x: Tensor, rng: Streams) -> FeatureGame:
        picture = x.reshape(planes(tuple(x.shape))).double().mean(0)
        low, high = picture.min(), picture.max()
        scaled = (picture - low) / (high - low if high > low else 1)
        return FeatureGame(
            SALIENCIES[self.saliency](scaled, self.enlarge, self.widen),
            rng,
            pixels=self.pixels,
            sets=self.sets,
            second=self.second,
        )

    def _search(self, game: FeatureGame, chance: Iterator[float]) -> Search:
        """One row's: a line from the tree, a roll-out, putting back, and learning from it."""
        tree: Tree[int] = Tree(game, chance, explore=self.explore)
        clean = yield ()
        first = 0  # pixels of the first input that met the goal
        for _ in range(self.simulations):
            line = tree.descend()
            if line is None:  # all lines of fewer pixels were tried: draw others
                game.redraw()
                tree = Tree(game, chance, explore=self.explore)
                line = tree.descend()
            if line is None:
                return
            pixels, met = yield from self._roll_out(game, line, clean, chance)
            if met:
                pixels = yield from backtracked(pixels, self.restore)
                game.best, first = min(game.best, len(pixels)), first or len(pixels)
            tree.learn(line, max(0.0, 1 - len(pixels) / (2 * first)) if met else 0.0)

    def _roll_out(
        self, game: FeatureGame, line: tuple[int, ...], clean: Reply, chance: Iterator[float]
    ) -> Generator[Pixels, Reply, tuple[Pixels, bool]]:
        """Play on from a line: the pixels it ends with, and whether they meet the goal."""
        pixels, reply = game.changed(line), clean
        if pixels:
            reply = yield pixels
        keypoint = line[-1] if len(line) % 2 else game.pick(next(chance), explore=False)
        for turn in range(self.moves):
            if reply.met or len(pixels) >= self.slack * game.best:
                break
            trial = game.move(pixels, keypoint)
            if len(trial) > len(pixels):
                got = yield trial
                game.weigh(keypoint, got.loss - reply.loss)
                if got.met or got.loss >= reply.loss:
                    pixels, reply = trial, got
            keypoint = game.pick(next(chance), explore=turn % 2 == 0)
        return pixels, reply.met
