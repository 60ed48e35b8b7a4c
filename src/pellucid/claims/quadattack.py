"""QuadAttacK: wanted orders of many classes are met more often than by CW's loss, extended.

On networks of 43 traffic signs, where lists of up to twenty classes can be asked for, and of ten
digits, where a list of nine leaves one class out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pellucid import data, opening
from pellucid.attack.evade.cw_topk import CWTopK
from pellucid.attack.evade.quadattack import QuadAttacK
from pellucid.box.protocols import NoBox
from pellucid.claims.claim import Claim, Measurement, Pair
from pellucid.claims.comparisons import Difference, ItemDifference, Ratio, SignTest
from pellucid.claims.recipe import Recipe
from pellucid.claims.relation import (
    Hypothesis,
    Threshold,
    above,
    at_least,
    at_most,
    below,
    within,
)
from pellucid.claims.subjects import recipe
from pellucid.goals import ordered_topk
from pellucid.models.block_cnn import BlockCNN
from pellucid.needs import Attack
from pellucid.runner import run
from pellucid.runs import Run
from pellucid.shapes import Batch, Labels
from pellucid.train.course import Course
from pellucid.train.standard import Standard

SIGNS = Recipe(
    name="gtsrb-cnn",
    architecture=partial[nn.Module](BlockCNN, classes=43, channels=(16, 32, 64), hidden=128),
    data="gtsrb-3k",
    trainer=Standard(course=Course(epochs=20, batch=64, rate=3e-3)),
)
RATES = (0.01, 0.03, 0.1)  # of which each method takes the one that serves it best, for each K
TUNED = 20  # rows on which that is seen, none of those attacked afterwards
ROWS = 100
STEPS = {1: 60, 3: 60, 5: 60, 9: 60, 10: 300, 20: 300}  # by K


class Duel(NamedTuple):
    """Both methods on the same rows and lists."""

    quad: Run
    cw: Run

    @property
    def success(self) -> Pair:
        """Row by row."""
        return Pair(ours=self.quad.success.tolist(), theirs=self.cw.success.tolist())

    @property
    def lead(self) -> float:
        """By how much QuadAttacK's share of successes is larger."""
        return (self.quad.success.double() - self.cw.success.double()).mean().item()

    @property
    def size(self) -> Pair:
        """Mean l2 of rows where both succeed."""
        both = self.quad.success & self.cw.success
        quad, cw = (won.distance("l2")[both].double().mean().item() for won in self)
        return Pair(ours=quad, theirs=cw)


def measure(seed: int, quick: bool) -> Measurement:
    """Networks are trained with the seed, and lists are drawn with it."""
    rows = 30 if quick else ROWS
    signs = duels(replace(SIGNS, seed=seed), (1, 5) if quick else (1, 5, 10, 20), rows)
    digits = duels(recipe("digits-cnn", seed), (1, 3) if quick else (1, 3, 5, 9), rows)
    measured = {f"signs {k}": duel.success for k, duel in signs.items()}
    measured |= {f"signs {k} paired": duel.success for k, duel in signs.items() if k > 1}
    measured |= {f"digits {k}": duel.success for k, duel in digits.items()}
    measured |= {"signs 1 l2": signs[1].size, "digits 1 l2": digits[1].size}
    return measured | {"growth": Pair(ours=signs[5].lead, theirs=signs[1].lead)}


def duels(subject: Recipe, ks: tuple[int, ...], rows: int) -> Mapping[int, Duel]:
    """Both methods on a network, for lists of each length."""
    test = data.load(subject.data, "test")
    apart = len(test) // (rows + TUNED)  # so that rows of all classes come up
    x, y = test.x[::apart][: rows + TUNED], test.y[::apart][: rows + TUNED]
    shape = tuple(x.shape[1:])
    box = opening.open(subject.build(), access="white", shape=shape, emits="logits")
    order = lists(y, len(test.class_names), subject.seed)
    return {k: duel(box, x, order[:, :k], subject.seed) for k in ks}


def lists(y: Labels, classes: int, seed: int) -> Tensor:
    """All classes but the row's own in random order: (n, classes - 1)."""
    rank = torch.rand(len(y), classes, generator=torch.Generator().manual_seed(seed))
    return rank.scatter(1, y[:, None], -1).argsort(1, descending=True)[:, :-1]


def duel(box: NoBox, x: Batch, order: Tensor, seed: int) -> Duel:
    """Each method at its own rate, with the same steps from the same points."""
    steps = STEPS[order.shape[1]]
    quad = best([QuadAttacK(steps=steps, rate=rate) for rate in RATES], box, x, order, seed)
    cw = best([CWTopK(steps=steps, rate=rate) for rate in RATES], box, x, order, seed)
    return Duel(quad, cw)


def best(methods: Sequence[Attack], box: NoBox, x: Batch, order: Tensor, seed: int) -> Run:
    """What a method finds on the other rows at the rate that finds most on the first ones.

    Of rates that find as much, the one whose successes are nearest.
    """

    def worth(method: Attack) -> tuple[float, float]:
        tried = attack(method, box, x[:TUNED], order[:TUNED], seed)
        size = tried.distance("l2")[tried.success].double().mean().item()
        return tried.success.double().mean().item(), -size

    return attack(max(methods, key=worth), box, x[TUNED:], order[TUNED:], seed)


def attack(method: Attack, box: NoBox, x: Batch, order: Tensor, seed: int) -> Run:
    """One run, with as many queries as the method wants."""
    return run(method, box, x, goal=ordered_topk(order), budget=None, seed=seed, progress=False)


def share(name: str, words: str, threshold: Threshold, *, required: bool = True) -> Hypothesis:
    """Of rows whose list is met."""
    return Hypothesis(
        name=name,
        meaning=f"share of rows whose list is met, QuadAttacK's less CW-K's: {words}",
        statistic=ItemDifference(),
        threshold=threshold,
        required=required,
    )


def paired(k: int, *, required: bool = True) -> Hypothesis:
    """The same rows, won or lost."""
    return Hypothesis(
        name=f"signs {k} paired",
        meaning=f"p-value of the sign test over rows that more networks lose to QuadAttacK or to "
        f"CW-K, lists of {k} signs",
        statistic=SignTest(),
        threshold=below(0.01),
        required=required,
    )


def size(subject: str) -> Hypothesis:
    """Where both succeed nearly always, what they move."""
    return Hypothesis(
        name=f"{subject} 1 l2",
        meaning=f"mean l2 distance of QuadAttacK over CW-K's, one of the {subject}, on rows where "
        "both succeed",
        statistic=Ratio(),
        threshold=at_most(1.1),
    )


CLAIM = Claim(
    slug="quadattack",
    title="QuadAttacK meets longer ordered lists than Carlini and Wagner's loss",
    seeds=3,
    measure=measure,
    data=("gtsrb-3k", "digits"),
    subjects=tuple(
        subject
        for seed in range(3)
        for subject in (replace(SIGNS, seed=seed), recipe("digits-cnn", seed))
    ),
    hypotheses=(
        share("signs 1", "one traffic sign, 60 steps", within(-0.03, 0.03)),
        share("signs 5", "5 traffic signs, 60 steps", at_least(0.1)),
        share("signs 10", "10 traffic signs, 300 steps", at_least(0.1)),
        # pilot seed 1000: neither method met one list of twenty, so nothing can be asked of it
        share("signs 20", "20 traffic signs, 300 steps", at_least(0.1), required=False),
        paired(5),
        paired(10),
        paired(20, required=False),
        Hypothesis(
            name="growth",
            meaning="QuadAttacK's lead with lists of 5 signs, less its lead with one",
            statistic=Difference(),
            threshold=above(0),
        ),
        size("signs"),
        size("digits"),
        share("digits 1", "one digit, 60 steps", within(-0.03, 0.03)),
        share("digits 3", "3 digits, 60 steps", above(0), required=False),
        share("digits 5", "5 digits, 60 steps", above(0), required=False),
        share("digits 9", "all 9 other digits, 60 steps", above(0), required=False),
    ),
)
