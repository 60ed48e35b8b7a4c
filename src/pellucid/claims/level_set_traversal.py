"""Level set traversal: pictures that look like a target and are, to the model, the source.

They come nearer to the target than the straight line does while the model stays as sure, and the
segment from the source to them is sure all along. On networks of MNIST, trained plainly and
hardened, and reported on two of the CIFAR-10 subset.
"""

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from pellucid import data, opening
from pellucid.attack.evade.level_set_traversal import LevelSetTraversal
from pellucid.attack.level_sets import on_segment, on_triangle
from pellucid.attack.sure import sure
from pellucid.ball import spread
from pellucid.box.protocols import GradBox, ScoreBox
from pellucid.claims.claim import Claim, Measurement, Pair
from pellucid.claims.comparisons import Difference, EverySeed, Ratio
from pellucid.claims.recipe import Recipe
from pellucid.claims.relation import (
    Hypothesis,
    Statistic,
    Threshold,
    above,
    at_least,
    at_most,
    below,
)
from pellucid.claims.subjects import MNIST, recipe
from pellucid.runner import run
from pellucid.shapes import Batch, Each, Labels
from pellucid.statistics import sign_test
from pellucid.train.course import Course
from pellucid.train.fast_training import FastTraining
from pellucid.train.standard import Standard
from pellucid.train.threat import Threat

WALK = LevelSetTraversal(steps=200, eta=0.05, tolerance=0.2, safety=0.004)
SURE = 0.6  # how probable its class must be for a picture to be a source
PAIRS, FEWER = 100, 30  # of source and target, on MNIST and on the CIFAR-10 subset
ROWS = 8000  # of MNIST, to train on
PLAIN = replace(
    MNIST,
    name="mnist-8k-cnn",
    rows=ROWS,
    trainer=Standard(course=Course(epochs=6, rate=3e-3)),
)
HARDENED = replace(
    MNIST,
    name="mnist-8k-cnn-hardened",
    rows=ROWS,
    trainer=FastTraining(threat=Threat(epsilon=0.15), course=Course(epochs=8, rate=3e-3)),
)


class Walked(NamedTuple):
    """What the walks on one network came to; a number a pair of source and target."""

    start: Each  # how probable the class was at the source
    end: Each  # and where the walk ended
    left: Each  # of the way to the target, by the walk
    line: Each  # the same, by the straight line
    least: Each  # the lowest confidence on the segment from source to end
    hull: Tensor  # mean confidence over the triangle of the source and two ends, one a source
    ends: Batch
    classes: Labels  # of the sources
    targets: Labels  # of the targets


def measure(seed: int, quick: bool) -> Measurement:
    """Networks of MNIST are trained with the seed; those of CIFAR-10 are the same for all."""
    pairs = 40 if quick else PAIRS
    plain = walked(replace(PLAIN, seed=seed), pairs, seed)
    hardened = walked(replace(HARDENED, seed=seed), pairs, seed)
    measured = (
        of_one("plain", plain) | of_one("hardened", hardened) | of_two("mnist", plain, hardened)
    )
    measured |= {"second network": seen_by(replace(PLAIN, seed=seed + 1), plain)}
    if quick:
        return measured
    colour = (walked(recipe(name), FEWER, seed) for name in ("cifar-cnn", "cifar-cnn-hardened"))
    colours = dict(zip(("cifar plain", "cifar hardened"), colour, strict=True))
    for name, one in colours.items():
        measured |= {f"{name} ratio": of_one(name, one)[f"{name} ratio"]}
    return measured | of_two("cifar", *colours.values())


def of_one(name: str, walk: Walked) -> dict[str, Pair]:
    """The relations on one network."""
    stayed = (walk.end >= walk.start - WALK.tolerance - 1e-6).double().mean().item()
    nearer, farther = int((walk.left < walk.line).sum()), int((walk.left > walk.line).sum())
    return {
        f"{name} stays": Pair(ours=stayed),
        f"{name} left": Pair(ours=walk.left.median().item()),
        f"{name} ratio": Pair(ours=(walk.left / walk.line).median().item()),
        f"{name} nearer": Pair(ours=float(sign_test(nearer, farther))),
        f"{name} segment": Pair(ours=walk.least.mean().item(), theirs=walk.start.mean().item()),
    }


def of_two(name: str, plain: Walked, hardened: Walked) -> dict[str, Pair]:
    """The hardened network beside the plain one."""
    return {
        f"{name} hull": Pair(ours=hardened.hull.mean().item(), theirs=plain.hull.mean().item()),
        f"{name} left": Pair(ours=hardened.left.median().item(), theirs=plain.left.median().item()),
    }


def seen_by(other: Recipe, walk: Walked) -> Pair:
    """What a second network says of the ends: share of sources' classes, and of targets'."""
    module = other.build()
    with torch.no_grad():
        said = module(walk.ends).argmax(1)
    source, target = (said == walk.classes, said == walk.targets)
    return Pair(ours=source.double().mean().item(), theirs=target.double().mean().item())


def walked(subject: Recipe, pairs: int, seed: int) -> Walked:
    """Walk from each of pairs / 2 sources to two targets of other classes."""
    test, module = data.load(subject.data, "test"), subject.build()
    shape = tuple(test.x.shape[1:])
    box = opening.open(module, access="gradient", shape=shape, emits="logits")
    assert isinstance(box, GradBox)
    source, classes, start = sources(box, test.x, test.y, pairs // 2, seed)
    two = torch.arange(len(source)).repeat(2)
    source, classes, start = source[two], classes[two], start[two]
    targets = others(box.labels(test.x), test.y, classes, seed)
    aim = test.x[targets]
    goal = sure(classes, start - WALK.tolerance)
    found = run(WALK, box, aim, goal=goal, start=source, budget=None, seed=seed, progress=False)
    ends = torch.where(spread(found.success, aim), found.adversarial, source)
    whole = torch.linalg.vector_norm((source - aim).flatten(1), dim=1)
    first, second = ends.chunk(2)
    half = len(first)
    return Walked(
        start=start,
        end=on_segment(box, classes, ends, ends, 1)[0],
        left=torch.linalg.vector_norm((ends - aim).flatten(1), dim=1) / whole,
        line=straight(box, classes, source, aim, start - WALK.tolerance),
        least=on_segment(box, classes, source, ends).amin(0),
        hull=on_triangle(box, classes[:half], source[:half], first, second).mean(0),
        ends=ends,
        classes=classes,
        targets=test.y[targets],
    )


def sources(
    box: ScoreBox, x: Batch, y: Labels, count: int, seed: int
) -> tuple[Batch, Labels, Each]:
    """Pictures that the model gets right and is sure of, their classes, and how sure it is."""
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))[: 20 * count]
    sureness = box.scores(x[order]).exp().gather(1, y[order][:, None])[:, 0]
    kept = (sureness > SURE).nonzero()[:count, 0]
    return x[order[kept]], y[order[kept]], sureness[kept]


def others(said: Labels, y: Labels, classes: Labels, seed: int) -> Tensor:
    """For each class a row of another, which the model gets right too."""
    rng = torch.Generator().manual_seed(seed + 1)
    rank = torch.rand(len(classes), len(y), generator=rng)
    return rank.masked_fill((y == classes[:, None]) | (said != y), -1).argmax(1)


def straight(box: ScoreBox, classes: Labels, source: Batch, aim: Batch, least: Each) -> Each:
    """What is left of the way at the farthest point of the segment where the class is as probable.

    Of as many points as the walk may try, wherever on the segment: a line that dips and comes back
    counts too.
    """
    points = WALK.steps + 1
    good = on_segment(box, classes, source, aim, points) > least
    share = torch.linspace(0, 1, points)[:, None]
    return 1 - torch.where(good, share, 0).amax(0)


def one(name: str, words: str, statistic: Statistic, threshold: Threshold) -> Hypothesis:
    """A relation of one network with a constant."""
    return Hypothesis(name=name, meaning=words, statistic=statistic, threshold=threshold, against=1)


def network(name: str, words: str, ratio: float) -> tuple[Hypothesis, ...]:
    """What must hold on one network of MNIST."""
    return (
        one(
            f"{name} stays",
            f"share of walks that end within the tolerance, {words}, over 1",
            EverySeed(),
            at_least(-0.05),
        ),
        one(
            f"{name} left",
            f"median of what is left of the way from source to target, {words}",
            Ratio(),
            at_most(0.5),
        ),
        one(
            f"{name} ratio",
            f"median over pairs of what the walk leaves over what the line leaves, {words}",
            Ratio(),
            at_most(ratio),
        ),
        Hypothesis(
            name=f"{name} nearer",
            meaning=f"p-value of the sign test that walks leave no less than lines, {words}",
            statistic=EverySeed(),
            threshold=below(0.01),
            against=0,
        ),
        Hypothesis(
            name=f"{name} segment",
            meaning="mean over pairs of the lowest confidence on the segment from source to end, "
            f"less the source's, {words}",
            statistic=Difference(),
            threshold=at_least(-0.3),
        ),
    )


def reported(name: str, words: str, threshold: Threshold) -> Hypothesis:
    """A relation that decides nothing."""
    return Hypothesis(
        name=name, meaning=words, statistic=Difference(), threshold=threshold, required=False
    )


def on_colour(kind: str) -> Hypothesis:
    """Walk against line on one network of the CIFAR-10 subset."""
    return replace(
        one(
            f"cifar {kind} ratio",
            "median over pairs of what the walk leaves over what the line leaves, on the CIFAR-10 "
            f"subset, {kind}",
            Ratio(),
            below(1),
        ),
        required=False,
    )


def hulls(name: str, title: str) -> tuple[Hypothesis, Hypothesis]:
    """The paper's sign: hardened networks are sure of more."""
    return (
        reported(
            f"{name} hull",
            f"mean confidence over triangles of {title}, hardened less plain",
            above(0),
        ),
        reported(
            f"{name} left",
            f"median of what is left of the way on {title}, hardened less plain",
            below(0),
        ),
    )


CLAIM = Claim(
    slug="level-set-traversal",
    title="Level sets reach far nearer to other pictures than the straight line shows",
    seeds=3,
    measure=measure,
    data=("mnist", "cifar10-12k"),
    subjects=(
        *(replace(kind, seed=seed) for seed in range(3) for kind in (PLAIN, HARDENED)),
        replace(PLAIN, seed=3),
        recipe("cifar-cnn"),
        recipe("cifar-cnn-hardened"),
    ),
    hypotheses=(
        *network("plain", "plain networks of MNIST", 0.7),
        *network("hardened", "hardened networks of MNIST", 0.85),
        *hulls("mnist", "MNIST"),
        reported(
            "second network",
            "share of ends that a second plain network gives the source's class, less the target's",
            above(0),
        ),
        on_colour("plain"),
        on_colour("hardened"),
        *hulls("cifar", "the CIFAR-10 subset"),
    ),
)
