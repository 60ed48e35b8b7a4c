"""CWA: a flat weakness that surrogates share passes to more victims than MI-FGSM's points do.

On networks trained on 5,000 images of the CIFAR-10 subset: of four surrogates two are lightly
hardened, of six victims three. To keep within minutes there are 150 images, and networks of tens of
thousands of weights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import torch
from torch import Tensor

from pellucid import data
from pellucid.attack.evade._ensemble import equal, look, of_logits
from pellucid.attack.evade.cwa import CWA
from pellucid.attack.evade.ensemble_mi_fgsm import EnsembleMIFGSM
from pellucid.attack.evade.svre import SVRE
from pellucid.attack.input_transforms import InputTransforms
from pellucid.attack.transfer import craft
from pellucid.ball import Ball
from pellucid.box.protocols import GradBox
from pellucid.claims._transfer_networks import (
    hardened_surrogates,
    hardened_victims,
    opened,
    surrogates,
    victims,
)
from pellucid.claims._transfers import rightly
from pellucid.claims.claim import Claim, Measurement, Pair
from pellucid.claims.comparisons import ItemDifference, Share
from pellucid.claims.recipe import Recipe
from pellucid.claims.relation import Hypothesis, Threshold, above, at_least, below
from pellucid.goals import Goal, misled
from pellucid.needs import Attack
from pellucid.rng import Streams, ids_of
from pellucid.shapes import Batch, Each

ROWS, SEEDS, VICTIM = 150, 5, 50  # images, surrogate sets, and the seed of all victims
BALL = Ball("linf", 16 / 255)
MI = EnsembleMIFGSM(ball=BALL)
METHODS: Mapping[str, Attack] = {
    "MI": MI,
    "MI x 2": replace(MI, steps=2 * MI.steps),
    "SVRE": SVRE(ball=BALL),
    "SAM": replace(MI, step=0.2, back=0.1),
    "CSE": CWA(ball=BALL, back=0.0, inner=2.06),  # the paper's 50, a fifth of that of CWA
    "CWA": CWA(ball=BALL),
}
COMPARED = (("CWA", "MI"), ("SAM", "MI"), ("CSE", "MI"), ("CWA", "MI x 2"), ("CWA", "SVRE"))
KINDS = {"hardened": slice(3), "plain": slice(3, 6)}  # of the victims below
NOISE, DRAWS = 4 / 255, 4  # half the width of the noise that flatness is seen with, and how often


def group(seed: int) -> dict[str, Recipe]:
    """Two plain surrogates and two that are lightly hardened."""
    plain = surrogates(seed)
    return {name: plain[name] for name in ("res-net", "vit")} | dict(hardened_surrogates(seed))


def targets(seed: int) -> dict[str, Recipe]:
    """Three hardened victims, then three plain ones of the same kinds."""
    plain = victims(seed)
    kinds = ("wide cnn", "deep cnn", "wide vit")
    return dict(hardened_victims(seed)) | {name: plain[name] for name in kinds}


def measure(seed: int, quick: bool) -> Measurement:
    """Surrogates are trained with the seed, the victims are the same for all."""
    boxes, test = opened(targets(VICTIM)), data.load("cifar10-12k", "test")
    x, y = rightly(boxes, test, 60 if quick else ROWS)
    goal, others = misled(y), list(opened(group(seed)).values())
    ends = {
        name: craft(method, others, x, goal=goal, seed=seed).points
        for name, method in METHODS.items()
    }
    won = {
        name: torch.stack([goal(box.labels(z)) for box in boxes.values()]).double()
        for name, z in ends.items()
    }
    pairs = {
        relation(name, rival, kind): compared(won[name][rows], won[rival][rows])
        for name, rival in COMPARED
        for kind, rows in KINDS.items()
    }
    return pairs | mechanism(others, goal, ends, Streams(seed, ids_of(x), x))


def relation(name: str, rival: str, kind: str) -> str:
    """What a comparison on one kind of victims is called."""
    return f"{name} against {rival}, {kind}"


def compared(ours: Tensor, theirs: Tensor) -> Pair:
    """The share of victims that each image misleads."""
    return Pair(ours=ours.mean(0).tolist(), theirs=theirs.mean(0).tolist())


def mechanism(
    boxes: Sequence[GradBox], goal: Goal, ends: Mapping[str, Batch], rng: Streams
) -> dict[str, Pair]:
    """How alike the surrogates' gradients are where attacks end, and how flat the ground is."""
    alike = {name: alignment(boxes, goal, ends[name], rng) for name in ("MI", "CSE", "CWA")}
    falls = {name: fall(boxes, goal, ends[name], rng) for name in ("MI", "SAM", "CWA")}
    pairs = {
        f"alignment, {name}": Pair(ours=alike[name].tolist(), theirs=alike["MI"].tolist())
        for name in ("CSE", "CWA")
    }
    return pairs | {
        f"flatness, {name}": Pair(ours=falls[name].tolist(), theirs=falls["MI"].tolist())
        for name in ("SAM", "CWA")
    }


def alignment(boxes: Sequence[GradBox], goal: Goal, z: Batch, rng: Streams) -> Each:
    """The mean cosine between the gradients of two surrogates at z."""
    slopes = look(boxes, boxes[0].spec, InputTransforms(), z, rng).own_slopes(goal)
    pairs = [
        torch.cosine_similarity(a.flatten(1), b.flatten(1)) for a, b in combinations(slopes, 2)
    ]
    return torch.stack(pairs).mean(0)


def fall(boxes: Sequence[GradBox], goal: Goal, z: Batch, rng: Streams) -> Each:
    """By how much the loss of the surrogates' mean logits falls, on average, under noise."""
    noise = (2 * rng.uniform(DRAWS, z.shape[1:]) - 1) * NOISE
    near = boxes[0].spec.clamp(z + noise)
    weights = equal(len(boxes), z)

    def loss(at: Tensor) -> Tensor:
        return of_logits(goal, [box.scores(at) for box in boxes], weights)

    return loss(z[None])[0] - loss(near).mean(0)


def gain(
    name: str, rival: str, kind: str, threshold: Threshold, *, required: bool = False
) -> Hypothesis:
    """What is won more often."""
    return Hypothesis(
        name=relation(name, rival, kind),
        meaning=f"share of victims misled, {name} less {NAMES[rival]}, on {kind} networks, mean "
        "over images",
        statistic=ItemDifference(),
        threshold=threshold,
        required=required,
    )


NAMES = {"MI": "MI-FGSM", "MI x 2": "MI-FGSM of as many gradients", "SVRE": "SVRE"}

CLAIM = Claim(
    slug="cwa",
    title="CWA passes to more hardened victims than MI-FGSM on the same surrogates",
    seeds=SEEDS,
    measure=measure,
    data=("cifar10-12k",),
    subjects=(
        *(one for seed in range(SEEDS) for one in group(seed).values()),
        *targets(VICTIM).values(),
    ),
    hypotheses=(
        gain("CWA", "MI", "hardened", at_least(0.03), required=True),
        gain("CWA", "MI", "plain", at_least(-0.01), required=True),
        gain("CWA", "MI x 2", "hardened", above(0)),
        gain("CWA", "MI x 2", "plain", above(0)),
        gain("CWA", "SVRE", "hardened", above(0)),
        gain("CWA", "SVRE", "plain", above(0)),
        *(
            gain(name, "MI", kind, above(0))
            for name in ("SAM", "CSE")
            for kind in ("hardened", "plain")
        ),
        *(
            Hypothesis(
                name=f"alignment, {name}",
                meaning="share of images where the surrogates' gradients are more alike at the end "
                f"of {name} than at that of MI-FGSM",
                statistic=Share(of=above(0)),
                threshold=at_least(0.8),
                required=name == "CSE",
            )
            for name in ("CSE", "CWA")
        ),
        *(
            Hypothesis(
                name=f"flatness, {name}",
                meaning="fall of the surrogates' loss under noise of 4/255, at the end of "
                f"{name} less at that of MI-FGSM, mean over images",
                statistic=ItemDifference(),
                threshold=below(0),
            )
            for name in ("SAM", "CWA")
        ),
    ),
)
