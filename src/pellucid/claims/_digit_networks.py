"""Networks of digits of three kinds, trained with and without a penalty on entropy."""

from collections.abc import Mapping
from functools import partial

from torch import nn

from pellucid.claims.recipe import Recipe
from pellucid.models.builtin import DIGITS_CNN
from pellucid.train.course import Course
from pellucid.train.entropy_penalty import EntropyPenalty

COURSE = Course(epochs=40, batch=64, rate=2e-3)


def linear() -> nn.Module:
    """One layer."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


def dense() -> nn.Module:
    """Two hidden layers."""
    first, second = nn.Linear(64, 128), nn.Linear(128, 128)
    return nn.Sequential(nn.Flatten(), first, nn.ReLU(), second, nn.ReLU(), nn.Linear(128, 10))


NETWORKS: Mapping[str, partial[nn.Module]] = {
    "linear": partial[nn.Module](linear),
    "dense": partial[nn.Module](dense),
    "convolutional": DIGITS_CNN,
}
DEEP = ("dense", "convolutional")


def trained(name: str, beta: float, seed: int) -> Recipe:
    """A network of digits."""
    return Recipe(
        name=f"digits-{name}-entropy-{beta:g}",
        architecture=NETWORKS[name],
        data="digits",
        trainer=EntropyPenalty(beta=beta, course=COURSE),
        seed=seed,
    )
