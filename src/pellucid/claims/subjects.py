"""The subjects: small trained networks that claims, tests and benchmarks share."""

from dataclasses import replace
from functools import partial

from torch import nn

from pellucid.claims._objectives import Hardened, Plain
from pellucid.claims.recipe import Recipe
from pellucid.models.builtin import DIGITS_CNN
from pellucid.models.small_cnn import SmallCNN
from pellucid.naming import unknown

DIGITS = Recipe(
    name="digits-cnn",
    architecture=DIGITS_CNN,
    data="digits",
    objective=Plain(),
    epochs=30,
    batch=64,
    rate=5e-3,
)

RECIPES = (
    DIGITS,
    replace(
        DIGITS,
        name="digits-cnn-hardened",
        objective=Hardened(epsilon=0.1, step=0.035),  # 2.5 radii in seven steps
    ),
    Recipe(
        name="fashion-cnn",
        architecture=partial[nn.Module](SmallCNN),
        data="fashion-mnist",
        objective=Plain(),
        epochs=3,
        batch=128,
        rate=3e-3,
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
