"""AdaEA: surrogates that count by how far each helps the others, against equal weights.

On networks trained on 5,000 images of the CIFAR-10 subset, of four kinds and unequal strength, and
with a surrogate of no use also on 5,000 digits of MNIST. To keep within minutes there are 150
images, 8 steps of a quarter of the radius where the paper takes 20, and networks of tens of
thousands of weights.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import torch

from pellucid import data
from pellucid.attack.evade._adaptive_ensemble import modulation
from pellucid.attack.evade._ensemble import look
from pellucid.attack.evade.adaea import AdaEA
from pellucid.attack.evade.ensemble_mi_fgsm import EnsembleMIFGSM
from pellucid.attack.input_transforms import InputTransforms
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox
from pellucid.claims._transfer_networks import (
    boxed,
    digit_surrogates,
    digit_victims,
    opened,
    surrogates,
    untrained,
    victims,
)
from pellucid.claims._transfers import pair, passed, rightly
from pellucid.claims.claim import Claim, Measurement, Pair
from pellucid.claims.comparisons import Difference, ItemDifference
from pellucid.claims.recipe import Recipe
from pellucid.claims.relation import Hypothesis, Threshold, above, at_least
from pellucid.data.dataset import Dataset
from pellucid.goals import misled
from pellucid.rng import Streams, ids_of
from pellucid.shapes import Batch, Labels

ROWS, SEEDS, VICTIM = 150, 5, 50  # images, surrogate sets, and the seed of all victims
STEPS, WEIGHED = 8, 40  # and images on which weights are looked at
COLOUR, GREY = Ball("linf", 8 / 255), Ball("linf", 0.12)
EQUAL = EnsembleMIFGSM(ball=COLOUR, steps=STEPS, step=0.25, decay=0.9, noise=0.001)
FULL = AdaEA(ball=COLOUR, steps=STEPS)
AGM, DRF = replace(FULL, filtered=False), replace(FULL, modulated=False)
USELESS = "mixer"  # the surrogate that is left untrained
MINORITY = ("wide vit", "fine vit")  # victims of a kind of which there is one surrogate of four


def measure(seed: int, quick: bool) -> Measurement:
    """Surrogates are trained with the seed, the victims are the same for all."""
    test = data.load("cifar10-12k", "test")
    recipes, targets = surrogates(seed), opened(victims(VICTIM))
    boxes = opened(recipes)
    rows = 60 if quick else ROWS
    x, y = rightly(targets, test, rows)
    won = {
        name: passed(method, list(boxes.values()), targets, x, y, seed)
        for name, method in (("equal", EQUAL), ("agm", AGM), ("drf", DRF), ("full", FULL))
    }
    minority = [name in MINORITY for name in targets]
    pairs = {
        "AGM": pair(won["agm"], won["equal"]),
        "AGM, minority": pair(won["agm"][minority], won["equal"][minority]),
        "AdaEA": pair(won["full"], won["equal"]),
        "DRF": pair(won["drf"], won["equal"]),
        "DRF beside AGM": pair(won["full"], won["agm"]),
    }
    pairs |= crippled("colour", recipes, COLOUR, targets, test, rows)
    test = data.load("mnist", "test")
    recipes, targets = digit_surrogates(seed), opened(digit_victims(VICTIM))
    return pairs | crippled("grey", recipes, GREY, targets, test, rows)


def crippled(
    name: str,
    recipes: Mapping[str, Recipe],
    ball: Ball,
    targets: Mapping[str, GradBox],
    rows: Dataset,
    count: int,
) -> dict[str, Pair]:
    """One surrogate keeps its random weights: how it counts, and what it costs."""
    x, y = rightly(targets, rows, count)
    boxes, seed = opened(recipes), recipes[USELESS].seed
    good = [box for kind, box in boxes.items() if kind != USELESS]
    agm, equal = replace(AGM, ball=ball), replace(EQUAL, ball=ball)
    pairs: dict[str, Pair] = {}
    for kind, least in (("quiet", 0.0), ("loud", spread(good, x))):
        group = [*good, boxed(untrained(recipes[USELESS], least), rows)]
        won = [passed(method, group, targets, x, y, seed) for method in (agm, equal)]
        few = slice(WEIGHED)
        pairs |= {
            f"{kind}, {name}": pair(*won),
            f"{kind}, {name}, weight": Pair(ours=outweighed(agm, group, x[few], y[few], seed)),
        }
    return pairs


def spread(boxes: Sequence[GradBox], x: Batch) -> float:
    """How far apart the logits of a row are, on average over rows and networks."""
    return torch.stack([box.logits(x).detach().std(1).mean() for box in boxes]).mean().item()


def outweighed(method: AdaEA, group: Sequence[GradBox], x: Batch, y: Labels, seed: int) -> float:
    """The share of rows and steps at which the last surrogate counts less than the mean."""
    goal, spec = misled(y), group[0].spec
    rng, below = Streams(seed, ids_of(x), x), []
    z = x
    for following in method(group[0], goal, x, group, rng):
        slopes = look(group, spec, InputTransforms(), z, rng).own_slopes(goal)
        weights = modulation(
            group,
            spec,
            goal,
            method.ball,
            x,
            z,
            slopes,
            length=method.step * (method.ball.radius or 0),
            beta=method.beta,
        )
        below.append((weights[-1] < 1 / len(group)).double().mean().item())
        z = following
    return sum(below) / len(below)


def gain(name: str, words: str, threshold: Threshold, *, required: bool = True) -> Hypothesis:
    """What is won more often."""
    return Hypothesis(
        name=name,
        meaning=f"share of victims misled, {words}, mean over images",
        statistic=ItemDifference(),
        threshold=threshold,
        required=required,
    )


def useless(name: str, words: str) -> Iterator[Hypothesis]:
    """One surrogate with random weights: as it comes, or with logits as large as the others'."""
    for kind, how in (("quiet", "random weights"), ("loud", "random weights and large logits")):
        yield Hypothesis(
            name=f"{kind}, {name}, weight",
            meaning=f"share of images and steps at which AGM gives a surrogate of {how} less than "
            f"the mean weight, {words}, less 0.8",
            statistic=Difference(),
            threshold=at_least(0),
            against=0.8,
            required=kind == "quiet",
        )
        yield gain(
            f"{kind}, {name}",
            f"AGM less equal weights, one surrogate of {how}, {words}",
            at_least(0.03),
            required=kind == "quiet",
        )


CLAIM = Claim(
    slug="adaea",
    title="AdaEA passes to more victims than surrogates of equal weight",
    seeds=SEEDS,
    measure=measure,
    data=("cifar10-12k", "mnist"),
    subjects=(
        *(one for seed in range(SEEDS) for one in surrogates(seed).values()),
        *victims(VICTIM).values(),
        *(one for seed in range(SEEDS) for one in digit_surrogates(seed).values()),
        *digit_victims(VICTIM).values(),
    ),
    hypotheses=(
        gain("AGM", "AGM less equal weights, all victims", at_least(0)),
        gain("AGM, minority", "AGM less equal weights, on vision transformers", at_least(0.02)),
        gain("AdaEA", "AGM and DRF less equal weights, all victims", at_least(0.01)),
        gain("DRF", "DRF less equal weights, all victims", above(0), required=False),
        gain("DRF beside AGM", "AGM and DRF less AGM alone", above(0), required=False),
        *useless("colour", "on the CIFAR-10 subset"),
        *useless("grey", "on MNIST"),
    ),
)
