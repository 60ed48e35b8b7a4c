"""Adversarial error is a power law of epsilon, gaps of logits are too, and less entropy lowers it.

On linear, dense and convolutional networks of digits, on one trained on shuffled labels, and on a
convolutional network of MNIST, whose rows are drawn with the seed.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from pellucid import data, opening
from pellucid.attack.evade.fgsm import FGSM
from pellucid.attack.evade.pgd import PGD
from pellucid.attack.power_law import PowerLaw, fit_power_law, gap_law
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox
from pellucid.claims._digit_networks import COURSE, DEEP, NETWORKS, dense, trained
from pellucid.claims.claim import Claim, Measurement, Pair
from pellucid.claims.comparisons import Count, Difference, EverySeed, SignTest
from pellucid.claims.level_set_traversal import PLAIN
from pellucid.claims.relation import Hypothesis, Statistic, Threshold, at_least, below, within
from pellucid.goals import misled
from pellucid.models.small_cnn import SmallCNN
from pellucid.needs import Attack
from pellucid.runner import run
from pellucid.shapes import Batch, Labels
from pellucid.train.entropy_penalty import EntropyPenalty

At = Callable[[float], Attack]  # the attack for an epsilon

SEEDS = 8  # so that a sign test can pass 0.01
SIZES = np.logspace(-2.5, -0.7, 12)  # epsilons
BETA = 0.5
NEAR = 0.1  # the epsilon at which networks are compared
ROWS, FEWER = 2000, 200  # of MNIST, for one step and for many
DRAWS = 1_000_000  # of ten independent logits


def fgsm(epsilon: float) -> Attack:
    """One step of the cross-entropy."""
    return FGSM(ball=Ball("linf", epsilon))


def margin(epsilon: float) -> Attack:
    """One step of the margin in logits, which no softmax saturates."""
    return PGD(ball=Ball("linf", epsilon), steps=1, step=1.0, random=False, loss="margin")


def margins(epsilon: float) -> Attack:
    """Many such steps from a random point."""
    return PGD(ball=Ball("linf", epsilon), steps=20, step=0.1, loss="margin")


def pgd(epsilon: float) -> Attack:
    """Ten steps of the cross-entropy from a random point."""
    return PGD(ball=Ball("linf", epsilon), steps=10, step=0.25)


def measure(seed: int, quick: bool) -> Measurement:
    """Networks of digits are trained with the seed."""
    return (
        laws(seed)
        | {name: pair for kind in DEEP for name, pair in less_entropy(kind, seed).items()}
        | gaps(seed)
        | on_mnist(seed, FEWER // 3 if quick else FEWER)
    )


def laws(seed: int) -> dict[str, Pair]:
    """FGSM against each network of digits, and against one that learnt shuffled labels."""
    test = data.load("digits", "test")
    found = {
        name: law(opened(trained(name, 0.0, seed).build(), test.x), test.x, test.y, fgsm)
        for name in NETWORKS
    }
    box = opened(shuffled(seed), test.x)
    found["shuffled"] = law(box, test.x, box.labels(test.x), fgsm)
    return {f"{name} r2": Pair(ours=one.r2) for name, one in found.items()} | {
        f"{name} exponent": Pair(ours=one.exponent) for name, one in found.items()
    }


def less_entropy(kind: str, seed: int) -> dict[str, Pair]:
    """Networks trained with the penalty beside those trained without."""
    test = data.load("digits", "test")
    ours, theirs = (opened(trained(kind, beta, seed).build(), test.x) for beta in (BETA, 0.0))
    right = [(box.labels(test.x) == test.y).double().mean().item() for box in (ours, theirs)]
    compared = {f"{kind} accuracy": Pair(ours=right[0], theirs=right[1])}
    for name, at in (("fgsm", fgsm), ("margin", margin), ("margins", margins)):
        wrong = [error(box, test.x, test.y, at(NEAR)) for box in (ours, theirs)]
        compared[f"{kind} {name}"] = Pair(ours=wrong[0], theirs=wrong[1])
    return compared


def gaps(seed: int) -> dict[str, Pair]:
    """Logits of a trained network, of an untrained one, and of none."""
    x, rng = drawn(seed, ROWS)[0], Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        untrained = SmallCNN().eval()
    with torch.no_grad():
        logits = {"trained": PLAIN.build()(x), "untrained": untrained(x)}
    logits["random"] = torch.randn(DRAWS, 10, generator=rng)
    return {
        f"{name} gap {place}": Pair(ours=gap_law(some, place).exponent)
        for name, some in logits.items()
        for place in (2, 3)
    }


def on_mnist(seed: int, few: int) -> dict[str, Pair]:
    """One network, rows by the seed."""
    x, y = drawn(seed, ROWS)
    box = opened(PLAIN.build(), x)
    one, many = law(box, x, y, fgsm), law(box, x[:few], y[:few], pgd)
    return {
        "mnist r2": Pair(ours=one.r2),
        "mnist exponent": Pair(ours=one.exponent),
        "mnist pgd r2": Pair(ours=many.r2),
    }


def law(box: GradBox, x: Batch, y: Labels, at: At) -> PowerLaw:
    """The law of error against epsilon, over rows that the model gets right."""
    right = box.labels(x) == y
    x, y = x[right], y[right]
    return fit_power_law(SIZES, curve(box, x, y, at), len(x))


def curve(box: GradBox, x: Batch, y: Labels, at: At) -> NDArray:
    """The error at each size."""
    return np.array([error(box, x, y, at(float(size))) for size in SIZES])


def error(box: GradBox, x: Batch, y: Labels, method: Attack) -> float:
    """The share of rows that are got wrong under attack."""
    found = run(method, box, x, goal=misled(y), budget=None, progress=False)
    return found.success.double().mean().item()


def shuffled(seed: int) -> nn.Module:
    """A dense network that has learnt digits whose labels were dealt anew."""
    train, rng = data.load("digits", "train"), Generator().manual_seed(seed)
    y = train.y[torch.randperm(len(train), generator=rng)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = dense()
    for _ in EntropyPenalty(beta=0.0, course=COURSE)(module, (train.x, y), rng):
        pass
    return module


def drawn(seed: int, rows: int) -> tuple[Tensor, Tensor]:
    """Rows of MNIST."""
    test = data.load("mnist", "test")
    order = torch.randperm(len(test), generator=Generator().manual_seed(seed))[:rows]
    return test.x[order], test.y[order]


def opened(module: nn.Module, x: Batch) -> GradBox:
    """A box of a network that takes such rows."""
    shape = tuple(x.shape[1:])
    box = opening.open(module, access="gradient", shape=shape, emits="logits")
    assert isinstance(box, GradBox)
    return box


def hypothesis(name: str, meaning: str, statistic: Statistic, threshold: Threshold) -> Hypothesis:
    """A relation of each seed's number with a constant, which is none."""
    return Hypothesis(
        name=name, meaning=meaning, statistic=statistic, threshold=threshold, against=0
    )


def fitted(name: str, words: str) -> Hypothesis:
    """The law fits, but perhaps for one network."""
    return hypothesis(
        f"{name} r2",
        f"networks of {SEEDS} for which a power law explains 0.95 of log error, {words}",
        Count(of=at_least(0.95)),
        at_least(SEEDS - 1),
    )


def exponent(name: str, words: str, low: float, high: float) -> Hypothesis:
    """Its exponent."""
    return hypothesis(
        f"{name} exponent", f"exponent of the law, {words}", EverySeed(), within(low, high)
    )


def gap(name: str, words: str) -> tuple[Hypothesis, Hypothesis]:
    """The law of the first two gaps."""
    return (
        hypothesis(
            f"{name} gap 2",
            f"exponent of the share of rows whose first two logits are within s, {words}",
            EverySeed(),
            within(0.8, 1.2),
        ),
        hypothesis(
            f"{name} gap 3",
            f"exponent of the share of rows whose first and third logits are within s, {words}",
            EverySeed(),
            within(1.6, 2.4),
        ),
    )


def lowered(kind: str) -> tuple[Hypothesis, ...]:
    """What less entropy does to a deep network, where gradients may only be hidden."""
    attacks = {
        "fgsm": "one step of the cross-entropy",
        "margin": "one step of the margin",
        "margins": "20 steps of the margin",
    }
    return (
        Hypothesis(
            name=f"{kind} accuracy",
            meaning=f"accuracy of {kind} networks with the penalty less without",
            statistic=Difference(),
            threshold=within(-0.005, 0.005),
        ),
        *(
            Hypothesis(
                name=f"{kind} {name}",
                meaning=f"p-value of the sign test that the penalty lowers no error of {kind} "
                f"networks under {words}",
                statistic=SignTest(smaller=True),
                threshold=below(0.01),
                required=name != "margins",
            )
            for name, words in attacks.items()
        ),
    )


CLAIM = Claim(
    slug="intriguing-properties",
    title="Adversarial error is a power law of epsilon, and less entropy lowers it",
    seeds=SEEDS,
    measure=measure,
    data=("digits", "mnist"),
    subjects=(
        PLAIN,
        *(trained(kind, 0.0, seed) for seed in range(SEEDS) for kind in NETWORKS),
        *(trained(kind, BETA, seed) for seed in range(SEEDS) for kind in DEEP),
    ),
    hypotheses=(
        *(
            relation
            for name in NETWORKS
            for relation in (
                fitted(name, f"{name} networks of digits under FGSM"),
                exponent(name, f"{name} networks of digits under FGSM", 0.8, 2.0),
            )
        ),
        fitted("shuffled", "dense networks that learnt shuffled digits, under FGSM"),
        replace(
            exponent("shuffled", "dense networks that learnt shuffled digits", 0.8, 2.0),
            required=False,
        ),
        fitted("mnist", "a convolutional network of MNIST under FGSM"),
        exponent("mnist", "a convolutional network of MNIST under FGSM", 0.7, 1.5),
        replace(fitted("mnist pgd", "the same network under ten steps of PGD"), required=False),
        *gap("trained", "a trained network of MNIST"),
        *gap("untrained", "untrained networks of MNIST"),
        *gap("random", "independent normal logits"),
        *lowered("dense"),
        *lowered("convolutional"),
    ),
)
