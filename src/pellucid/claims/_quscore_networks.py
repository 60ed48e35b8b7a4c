"""Victims and surrogates of QuScore's claim: maps' means of MNIST, and defences in front."""

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from pellucid.claims.recipe import Recipe
from pellucid.models.gap_cnn import GapCNN
from pellucid.shapes import Batch, ScoreAnswer
from pellucid.train.course import Course
from pellucid.train.standard import Standard


def victim(seed: int) -> Recipe:
    """The network that is attacked."""
    return _trained("mnist-gap-cnn", (16, 32, 64), 6, seed)


def surrogate(seed: int) -> Recipe:
    """The attacker's own: narrower, and from other first weights."""
    return _trained("mnist-gap-cnn-narrow", (12, 24, 48), 5, seed + 100)


def _trained(name: str, channels: tuple[int, ...], epochs: int, seed: int) -> Recipe:
    return Recipe(
        name=name,
        architecture=partial[nn.Module](GapCNN, channels=channels),
        data="mnist",
        trainer=Standard(course=Course(epochs=epochs, batch=64, rate=2e-2)),
        rows=8000,
        seed=seed,
    )


def rounded(x: Tensor) -> Tensor:
    """Five bits a value."""
    return (x * 31).round() / 31


def smoothed(x: Tensor) -> Tensor:
    """The median of 3 x 3 pixels; borders are repeated."""
    around = functional.pad(x, (1, 1, 1, 1), mode="replicate").unfold(2, 3, 1).unfold(3, 3, 1)
    return around.flatten(4).median(4).values


DEFENCES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "5 bits": rounded,
    "3 x 3 median": smoothed,
}


class Defended(nn.Module):
    """A network behind something done to its input."""

    def __init__(self, module: nn.Module, defence: Callable[[Tensor], Tensor]) -> None:
        """Stand before the module."""
        super().__init__()
        self.module, self._defence = module, defence

    def forward(self, x: Batch) -> ScoreAnswer:
        """Logits (n, classes) of images (n, *shape)."""
        return self.module(self._defence(x))


def victims(seed: int) -> dict[str, nn.Module]:
    """The network as it is, and behind each defence."""
    plain = victim(seed).build()
    behind = {name: Defended(plain, defence).eval() for name, defence in DEFENCES.items()}
    return {"plain": plain, **behind}


def right_of_all(seeds: tuple[int, ...], x: Batch, y: Tensor) -> Tensor:
    """The rows that the victims of all these seeds get right, with and without defences."""
    right = torch.ones(len(y), dtype=torch.bool)
    for seed in seeds:
        for module in victims(seed).values():
            with torch.no_grad():
                right &= module(x).argmax(1) == y
    return right.nonzero()[:, 0]
