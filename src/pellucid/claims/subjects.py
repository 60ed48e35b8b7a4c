"""The subjects: small trained networks that claims, tests and benchmarks share."""

from dataclasses import replace
from functools import partial

from torch import nn

from pellucid.claims.recipe import Recipe
from pellucid.models.block_cnn import BlockCNN
from pellucid.models.builtin import DIGITS_CNN
from pellucid.models.small_cnn import SmallCNN
from pellucid.naming import unknown
from pellucid.train.course import Course
from pellucid.train.fast_training import FastTraining
from pellucid.train.pgd_training import PGDTraining
from pellucid.train.standard import Standard
from pellucid.train.threat import Threat

# by data set, the Linf radius that its hardened subject is trained to withstand
RADII = {"digits": 0.1, "mnist": 0.2, "fashion-mnist": 0.1, "cifar10-12k": 8 / 255}

DIGITS = Recipe(
    name="digits-cnn",
    architecture=DIGITS_CNN,
    data="digits",
    trainer=Standard(course=Course(epochs=30, batch=64, rate=5e-3)),
)
MNIST = Recipe(
    name="mnist-cnn",
    architecture=partial[nn.Module](SmallCNN),
    data="mnist",
    trainer=Standard(course=Course(epochs=2, rate=3e-3)),
)
FASHION = replace(
    MNIST,
    name="fashion-cnn",
    data="fashion-mnist",
    trainer=Standard(course=Course(epochs=3, rate=3e-3)),
)
CIFAR = Recipe(
    name="cifar-cnn",
    architecture=partial[nn.Module](BlockCNN),
    data="cifar10-12k",
    trainer=Standard(course=Course(epochs=8, rate=2e-3)),
)

RECIPES = (
    DIGITS,
    replace(
        DIGITS,
        name="digits-cnn-hardened",
        trainer=PGDTraining(
            threat=Threat(epsilon=RADII["digits"]),
            step=0.35,  # 2.45 radii in seven steps
            course=Course(epochs=30, batch=64, rate=5e-3),
        ),
    ),
    MNIST,
    replace(
        MNIST,
        name="mnist-cnn-hardened",
        trainer=FastTraining(
            threat=Threat(epsilon=RADII["mnist"]), course=Course(epochs=4, rate=3e-3)
        ),
    ),
    FASHION,
    replace(
        FASHION,
        name="fashion-cnn-hardened",
        trainer=FastTraining(
            threat=Threat(epsilon=RADII["fashion-mnist"]), course=Course(epochs=3, rate=3e-3)
        ),
    ),
    CIFAR,
    replace(
        CIFAR,
        name="cifar-cnn-hardened",
        trainer=FastTraining(
            threat=Threat(epsilon=RADII["cifar10-12k"]), course=Course(epochs=12, rate=2e-3)
        ),
    ),
)


def recipe(name: str, seed: int = 0) -> Recipe:
    """The recipe of a subject with this seed; `build()` of it gives the network.

    Raises:
        UnknownName: there is no such subject; the nearest names are given.
    """
    for known in RECIPES:
        if known.name == name:
            return replace(known, seed=seed)
    raise unknown("subject", name, [known.name for known in RECIPES])
