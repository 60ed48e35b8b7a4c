"""Bayesian surrogate: samples of one training run fool other networks better than one network does.

On 8,000 images of MNIST with small networks: a convolutional surrogate, and three victims a seed,
of which one has its architecture. The rivals are trained for as many epochs by Adam, at the rate at
which their transfer was best on a pilot seed; one more is trained to be accurate, as the paper's
are, and only reported. Every attack makes 50 steps, each on one network, unless it says otherwise.
The radius is the one of 1.5, 2 and 2.5 at which the accurate network fools a quarter of the pilot's
victims.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from scipy.stats import rankdata
from torch import nn

from pellucid import data, opening
from pellucid.attack.evade.bayesian_surrogate import BayesianSurrogate
from pellucid.attack.transfer import transfer_matrix
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox
from pellucid.claims._posterior_networks import accurate, brief, chain, gentle, victims
from pellucid.claims.claim import Claim, Measurement, Pair
from pellucid.claims.comparisons import Difference, EverySeed, Ratio
from pellucid.claims.recipe import Recipe
from pellucid.claims.relation import Hypothesis, above, at_least
from pellucid.goals import misled
from pellucid.shapes import Batch, Labels

IMAGES, FEWER = 300, 100  # that all victims get right; fewer where a step asks every sample
LIGHT = BayesianSurrogate(ball=Ball("l2", 2.0))
FULL = replace(LIGHT, together=None)
MOMENTUM = replace(LIGHT, decay=0.9)
# of eight samples, two a cycle: so many, spread over the cycles
SUBSETS = {1: (7,), 2: (3, 7), 4: (1, 3, 5, 7), 8: tuple(range(8))}


def measure(seed: int, quick: bool) -> Measurement:
    """Surrogates and victims are trained with the seed."""
    samples = members(chain(seed, noise=True))
    one, four = opened(accurate(seed)), [opened(each) for each in gentle(seed)]
    groups = {
        "accurate": [one],
        "snapshots": members(chain(seed, noise=False)),
        "brief": [opened(each) for each in brief(seed)],
        **{f"gentle {count}": four[:count] for count in (1, 2, 3, 4)},
        **{f"samples {count}": [samples[i] for i in SUBSETS[count]] for count in SUBSETS},
    }
    judges = {each.name: opened(each) for each in victims(seed)}
    x, y = rightly(judges, FEWER if quick else IMAGES)
    rate = transfer(LIGHT, groups, judges, x, y)
    ours, single = rate["samples 8"], rate["gentle 1"]
    few = transfer(FULL, {"samples": samples}, judges, x[:FEWER], y[:FEWER])
    light = transfer(LIGHT, {"samples": samples}, judges, x[:FEWER], y[:FEWER])
    pushed = transfer(MOMENTUM, {"samples": samples, "one": four[:1]}, judges, x, y)
    return {
        "one network": Pair(ours=ours, theirs=single),
        "accurate network": Pair(ours=ours, theirs=rate["accurate"]),
        "snapshots": Pair(ours=ours, theirs=rate["snapshots"]),
        "ensemble, same cost": Pair(ours=ours, theirs=rate["brief"]),
        "ensemble, four times the cost": Pair(ours=ours, theirs=rate["gentle 4"]),
        "equivalent ensemble": Pair(ours=equivalent(ours, rate)),
        "samples": Pair(ours=spearman([rate[f"samples {count}"] for count in SUBSETS])),
        "momentum": Pair(ours=pushed["samples"], theirs=pushed["one"]),
        "full": Pair(ours=few["samples"], theirs=light["samples"]),
    }


def equivalent(rate: float, rates: Mapping[str, float]) -> float:
    """The size of the ensemble of gentle networks that transfers as well, up to four.

    Between sizes on straight lines, from nothing at size zero on; a larger ensemble that transfers
    worse counts as the smaller.
    """
    known = [0.0, *(rates[f"gentle {count}"] for count in (1, 2, 3, 4))]
    return float(np.interp(rate, np.maximum.accumulate(known), np.arange(5)))


def spearman(rates: Sequence[float]) -> float:
    """The rank correlation of transfer with its place in the list; 0 where all are the same."""
    ranks, places = rankdata(rates), np.arange(1, len(rates) + 1)
    ranks, places = ranks - ranks.mean(), places - places.mean()
    return float(ranks @ places / max(np.sqrt(ranks @ ranks * (places @ places)), 1e-12))


def members(kept: Recipe) -> list[GradBox]:
    """The samples that a network of networks holds."""
    return [boxed(part) for part in kept.build().get_submodule("networks").children()]


def opened(subject: Recipe) -> GradBox:
    """A network in a box."""
    return boxed(subject.build())


def boxed(module: nn.Module) -> GradBox:
    """The same of one that is built."""
    box = opening.open(module, access="gradient", shape=(1, 28, 28), emits="logits")
    assert isinstance(box, GradBox)
    return box


def rightly(judges: Mapping[str, GradBox], count: int) -> tuple[Batch, Labels]:
    """The first so many test images that all victims get right."""
    test = data.load("mnist", "test")
    x, y = test.x[: 3 * count], test.y[: 3 * count]
    right = torch.stack([box.labels(x) == y for box in judges.values()]).all(0)
    assert int(right.sum()) >= count
    return x[right][:count], y[right][:count]


def transfer(
    method: BayesianSurrogate,
    groups: Mapping[str, Sequence[GradBox]],
    judges: Mapping[str, GradBox],
    x: Batch,
    y: Labels,
) -> dict[str, float]:
    """For each group of surrogates, the mean over victims of the share of images that fool them."""
    found = transfer_matrix(method, groups, judges, x, goal=misled(y))
    return dict(zip(found.surrogates, found.rates.mean(1).tolist(), strict=True))


CLAIM = Claim(
    slug="bayesian-surrogate",
    title="Samples of one training run are a better surrogate than one network",
    seeds=5,
    measure=measure,
    data=("mnist",),
    subjects=tuple(
        subject
        for seed in range(5)
        for subject in (
            chain(seed, noise=True),
            chain(seed, noise=False),
            accurate(seed),
            *gentle(seed),
            *brief(seed),
            *victims(seed),
        )
    ),
    hypotheses=(
        Hypothesis(
            name="one network",
            meaning="transfer of eight samples less that of one network, trained as long and to "
            "transfer, in every seed",
            statistic=EverySeed(),
            threshold=at_least(0.08),
        ),
        Hypothesis(
            name="accurate network",
            meaning="the same less that of one network, trained as long and to be accurate",
            statistic=EverySeed(),
            threshold=at_least(0.08),
            required=False,
        ),
        Hypothesis(
            name="snapshots",
            meaning="transfer of samples less that of snapshots, drawn alike but without noise",
            statistic=Difference(),
            threshold=at_least(-0.01),
        ),
        Hypothesis(
            name="ensemble, same cost",
            meaning="transfer of samples less that of four networks of a quarter of its epochs",
            statistic=Difference(),
            threshold=at_least(0),
        ),
        Hypothesis(
            name="ensemble, four times the cost",
            meaning="transfer of samples over that of four networks of as many epochs each",
            statistic=Ratio(),
            threshold=at_least(0.8),
        ),
        Hypothesis(
            name="equivalent ensemble",
            meaning="size of the ensemble of networks, each trained as long as the chain, that "
            "transfers as well as the samples; at most four were trained",
            statistic=Difference(),
            threshold=at_least(2),
            against=0,
        ),
        Hypothesis(
            name="samples",
            meaning="Spearman's correlation of transfer with the number of samples: 1, 2, 4, 8",
            statistic=EverySeed(),
            threshold=at_least(0.8),
            against=0,
        ),
        Hypothesis(
            name="momentum",
            meaning="transfer of samples less that of one network trained to transfer, by MI-FGSM",
            statistic=Difference(),
            threshold=above(0),
            required=False,
        ),
        Hypothesis(
            name="full",
            meaning="transfer where each step asks all eight samples less that where it asks one",
            statistic=Difference(),
            threshold=above(0),
            required=False,
        ),
    ),
)
