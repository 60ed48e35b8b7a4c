"""Online attack: Virtual+ picks more of the largest than other rules of one threshold, up to k = 4.

On random orders of a hundred ranks, seen exactly and with noise, and on streams of digits, where
a dense network tells the values of attacks on a hidden convolutional one.
"""

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Generator, Tensor

from pellucid import data, opening
from pellucid.attack.evade.fgsm import FGSM
from pellucid.attack.evade.pgd import PGD
from pellucid.attack.online.online_attack import OnlineAttack
from pellucid.attack.online.optimistic import Optimistic
from pellucid.attack.online.picking import Values, pick
from pellucid.attack.online.ratios import at_random, indicator_ratio, knapsack_ratio
from pellucid.attack.online.selector import Selector
from pellucid.attack.online.single_ref import SingleRef
from pellucid.attack.online.virtual import Virtual
from pellucid.attack.online.virtual_plus import VirtualPlus
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox
from pellucid.claims._digit_networks import trained
from pellucid.claims.claim import Claim, Measurement, Pair
from pellucid.claims.comparisons import Difference, Ratio
from pellucid.claims.recipe import Recipe
from pellucid.claims.relation import Hypothesis, Threshold, above, at_least, below, within
from pellucid.claims.subjects import recipe
from pellucid.needs import Attack
from pellucid.shapes import Each

ORDERS, ITEMS = 20_000, 100  # of the ranks
NOISES = (1, 5, 10)  # standard deviations, of ranks
STREAMS, LENGTH, PICKS = 200, 200, 10  # of digits
BALL = Ball("linf", 0.1)
OURS, VIRTUAL, OPTIMISTIC, SINGLE = VirtualPlus(), Virtual(), Optimistic(), SingleRef()
RIVALS = {"Virtual": VIRTUAL, "Optimistic": OPTIMISTIC, "Single-Ref": SINGLE}


def measure(seed: int, quick: bool) -> Measurement:
    """All rules see the same orders, which the seed decides, as it does the networks."""
    rng = Generator().manual_seed(seed)
    ranks = torch.rand(2000 if quick else ORDERS, ITEMS, generator=rng).argsort(1).double()
    return exact(ranks) | noisy(ranks, rng) | images(seed, rng)


def exact(ranks: Values) -> dict[str, Pair]:
    """The share of the k largest that is picked where values are seen as they are."""
    pairs = {}
    for k in (2, 3):
        ours = share(OURS, ranks, ranks, k)
        for name, rival in RIVALS.items():
            pairs[f"k={k}, {name}"] = Pair(ours=ours, theirs=share(rival, ranks, ranks, k))
    for k in (4, 5, 10):
        pairs[f"k={k}, Single-Ref"] = Pair(
            ours=share(OURS, ranks, ranks, k), theirs=share(SINGLE, ranks, ranks, k)
        )
    return pairs


def noisy(ranks: Values, rng: Generator) -> dict[str, Pair]:
    """The same of the five largest where they are seen with noise."""
    pairs: dict[str, Pair] = {}
    before: float | None = None
    for deviation in NOISES:
        seen = ranks + deviation * torch.randn(ranks.shape, generator=rng, dtype=ranks.dtype)
        ours, optimistic, virtual = (
            share(rule, ranks, seen, 5) for rule in (OURS, OPTIMISTIC, VIRTUAL)
        )
        pairs[f"noise {deviation}, Optimistic"] = Pair(ours=ours, theirs=optimistic)
        pairs[f"noise {deviation}, Virtual"] = Pair(ours=optimistic, theirs=virtual)
        if before is not None:
            pairs[f"noise {deviation}, less"] = Pair(ours=ours, theirs=before)
        before = ours
    return pairs


def share(rule: Selector, values: Values, seen: Values, picks: int) -> float:
    """The share of the largest that a rule picks, which sees other numbers."""
    return indicator_ratio(values, pick(rule, seen, picks), picks).mean().item()


def images(seed: int, rng: Generator) -> dict[str, Pair]:
    """Streams of digits in other orders, with exhaust: the last are picked if picks are left."""
    surrogate, hidden = (boxed(subject) for subject in networks(seed))
    one = losses(FGSM(ball=BALL), surrogate, hidden, seed)
    many = losses(PGD(ball=BALL), surrogate, hidden, seed)
    orders = torch.rand(STREAMS, LENGTH, generator=rng).argsort(1)
    seen, true = one["seen"][orders], one["true"][orders]
    chosen = pick(OURS, seen, PICKS, exhaust=True)
    other = pick(SINGLE, seen, PICKS, exhaust=True)
    chance = at_random(true, PICKS, rng)
    return {
        "digits, worth": Pair(ours=mean(knapsack_ratio(true, chosen, PICKS))),
        "digits, worth where it is seen": Pair(
            ours=mean(knapsack_ratio(true, pick(OURS, true, PICKS, exhaust=True), PICKS))
        ),
        "digits, largest": Pair(
            ours=mean(indicator_ratio(true, chosen, PICKS)),
            theirs=mean(indicator_ratio(true, chance, PICKS)),
        ),
        "digits, weak attack": Pair(
            ours=mean((true * chosen).sum(1)), theirs=mean((many["true"][orders] * chance).sum(1))
        ),
        "digits, Single-Ref": Pair(
            ours=mean(knapsack_ratio(true, chosen, PICKS)),
            theirs=mean(knapsack_ratio(true, other, PICKS)),
        ),
    }


def losses(attack: Attack, surrogate: GradBox, hidden: GradBox, seed: int) -> Mapping[str, Each]:
    """For each digit the loss that its attack ends on, as the surrogate sees it, and truly."""
    test = data.load("digits", "test")
    stream = [(test.x[:LENGTH], test.y[:LENGTH])]
    online = OnlineAttack(attack=attack, picks=PICKS)
    (seen,) = online.run(surrogate, stream, items=LENGTH, seed=seed)
    (true,) = online.run(surrogate, stream, items=LENGTH, judge=hidden, seed=seed)
    return {"seen": seen.value.double(), "true": true.value.double()}


def networks(seed: int) -> tuple[Recipe, Recipe]:
    """The surrogate, and the hidden network."""
    return trained("dense", 0.0, seed), recipe("digits-cnn", seed)


def boxed(subject: Recipe) -> GradBox:
    """A network in a box."""
    box = opening.open(subject.build(), access="gradient", shape=(1, 8, 8), emits="logits")
    assert isinstance(box, GradBox)
    return box


def mean(each: Tensor) -> float:
    """Of the streams."""
    return each.double().mean().item()


def difference(
    name: str, meaning: str, threshold: Threshold, *, required: bool = True
) -> Hypothesis:
    """A relation of two shares."""
    return Hypothesis(
        name=name,
        meaning=meaning,
        statistic=Difference(),
        threshold=threshold,
        required=required,
    )


def largest(k: int, rival: str, threshold: Threshold) -> Hypothesis:
    """Virtual+ against a rival that sees the ranks."""
    return difference(
        f"k={k}, {rival}",
        f"share of the {k} largest of 100 that Virtual+ picks, less that of {rival}",
        threshold,
    )


CLAIM = Claim(
    slug="online-attack",
    title="Virtual+ picks more of the largest than rivals where fewer than five may be picked",
    seeds=5,
    measure=measure,
    data=("digits",),
    subjects=tuple(subject for seed in range(5) for subject in networks(seed)),
    hypotheses=(
        *(largest(k, rival, at_least(0.005)) for k in (2, 3) for rival in RIVALS),
        largest(4, "Single-Ref", within(-0.01, 0.01)),
        *(largest(k, "Single-Ref", below(0)) for k in (5, 10)),
        *(
            difference(
                f"noise {deviation}, Optimistic",
                "share of the 5 largest ranks that Virtual+ picks, which sees them with a noise of "
                f"{deviation}, less that of Optimistic",
                above(0),
            )
            for deviation in NOISES
        ),
        *(
            difference(
                f"noise {deviation}, Virtual",
                f"the share of Optimistic less that of Virtual at a noise of {deviation}",
                above(0),
            )
            for deviation in NOISES
        ),
        *(
            difference(
                f"noise {more}, less",
                f"the share of Virtual+ at a noise of {more} less that at {noise}",
                below(0),
            )
            for noise, more in pairwise(NOISES)
        ),
        Hypothesis(
            name="digits, worth",
            meaning="the hidden network's loss on the ten of 200 digits that Virtual+ picks, over "
            "that on the ten with the largest",
            statistic=Difference(),
            threshold=at_least(0.7),
            against=0,
        ),
        Hypothesis(
            name="digits, worth where it is seen",
            meaning="the same where the hidden network's own losses are what Virtual+ sees",
            statistic=Difference(),
            threshold=at_least(0.7),
            against=0,
            required=False,
        ),
        Hypothesis(
            name="digits, largest",
            meaning="share of the ten largest that Virtual+ picks, over the share by chance",
            statistic=Ratio(),
            threshold=at_least(3),
        ),
        difference(
            "digits, weak attack",
            "the hidden network's loss on ten digits attacked by FGSM that Virtual+ picks, less "
            "that on ten attacked by PGD that chance picks",
            above(0),
        ),
        difference(
            "digits, Single-Ref",
            "worth of what Virtual+ picks less that of what Single-Ref picks",
            above(0),
            required=False,
        ),
    ),
)
