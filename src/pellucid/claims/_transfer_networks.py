"""Small networks of four kinds on 5,000 images, for attacks that pass from some to others."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import torch
from torch import nn

from pellucid import data, opening
from pellucid.box.protocols import GradBox
from pellucid.claims.recipe import Recipe
from pellucid.data.dataset import Dataset
from pellucid.models.block_cnn import BlockCNN
from pellucid.models.mixer import Mixer
from pellucid.models.res_net import ResNet
from pellucid.models.small_cnn import SmallCNN
from pellucid.models.vit import ViT
from pellucid.shapes import Batch, ScoreAnswer
from pellucid.train.course import Course
from pellucid.train.fast_training import FastTraining
from pellucid.train.standard import Standard
from pellucid.train.threat import Threat
from pellucid.train.trainer import Trainer

DATA, ROWS, SHAPE = "cifar10-12k", 5000, (3, 32, 32)
PLAIN = Standard(course=Course(epochs=4, batch=64, rate=3e-3))
LONGER = Standard(course=Course(epochs=6, batch=64, rate=3e-3))
HARDENED = FastTraining(
    threat=Threat(epsilon=4 / 255), course=Course(epochs=5, batch=64, rate=2e-3)
)
CNN = partial[nn.Module](SmallCNN, SHAPE, channels=(12, 24), hidden=64)
RES_NET = partial[nn.Module](ResNet, SHAPE, channels=(6, 12, 24))
VIT = partial[nn.Module](ViT, SHAPE, patch=8, width=64, depth=2, hidden=128)
MIXER = partial[nn.Module](Mixer, SHAPE, patch=8, width=64, depth=2, across=32, hidden=128)
WIDE_CNN = partial[nn.Module](SmallCNN, SHAPE, channels=(16, 24), hidden=48)
DEEP_CNN = partial[nn.Module](BlockCNN, SHAPE, channels=(12, 24, 48), hidden=64)
WIDE_VIT = partial[nn.Module](ViT, SHAPE, patch=8, width=96, depth=2, hidden=96)
FINE_VIT = partial[nn.Module](ViT, SHAPE, patch=4, width=32, depth=2, heads=2, hidden=64)
DIGITS = Standard(course=Course(epochs=3, batch=64, rate=3e-3))
DIGIT = (1, 28, 28)


def layers(hidden: int) -> nn.Module:
    """Two layers, on digits."""
    return nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, hidden), nn.ReLU(), nn.Linear(hidden, 10))


DIGIT_NETWORKS: Mapping[str, partial[nn.Module]] = {
    "cnn": partial[nn.Module](SmallCNN, DIGIT, channels=(8, 16), hidden=32),
    "layers": partial[nn.Module](layers, 64),
    "mixer": partial[nn.Module](Mixer, DIGIT, patch=7, width=32, depth=2, across=32, hidden=64),
}
DIGIT_VICTIMS: Mapping[str, partial[nn.Module]] = {
    "wide cnn": partial[nn.Module](SmallCNN, DIGIT, channels=(12, 24), hidden=32),
    "wide layers": partial[nn.Module](layers, 128),
    "wide mixer": partial[nn.Module](
        Mixer, DIGIT, patch=7, width=48, depth=2, across=32, hidden=64
    ),
}


def trained(name: str, architecture: partial[nn.Module], trainer: Trainer, seed: int) -> Recipe:
    """A network on the first rows of the CIFAR-10 subset."""
    return Recipe(
        name=f"cifar-5k-{name}",
        architecture=architecture,
        data=DATA,
        trainer=trainer,
        rows=ROWS,
        seed=seed,
    )


def surrogates(seed: int) -> Mapping[str, Recipe]:
    """Two convolutional networks, a vision transformer and a mixer, of unequal strength."""
    return {
        "cnn": trained("cnn", CNN, PLAIN, seed),
        "res-net": trained("res-net", RES_NET, PLAIN, seed),
        "vit": trained("vit", VIT, LONGER, seed),
        "mixer": trained("mixer", MIXER, LONGER, seed),
    }


def victims(seed: int) -> Mapping[str, Recipe]:
    """Two convolutional networks and two vision transformers, of other widths."""
    return {
        "wide cnn": trained("wide-cnn", WIDE_CNN, PLAIN, seed),
        "deep cnn": trained("deep-cnn", DEEP_CNN, PLAIN, seed),
        "wide vit": trained("wide-vit", WIDE_VIT, LONGER, seed),
        "fine vit": trained("fine-vit", FINE_VIT, LONGER, seed),
    }


def hardened_surrogates(seed: int) -> Mapping[str, Recipe]:
    """Two of the surrogates, lightly trained against attacks of 4/255."""
    return {
        "hardened cnn": trained("cnn-hardened", CNN, HARDENED, seed),
        "hardened mixer": trained("mixer-hardened", MIXER, HARDENED, seed),
    }


def hardened_victims(seed: int) -> Mapping[str, Recipe]:
    """Three of the victims, trained likewise."""
    return {
        "hardened wide cnn": trained("wide-cnn-hardened", WIDE_CNN, HARDENED, seed),
        "hardened deep cnn": trained("deep-cnn-hardened", DEEP_CNN, HARDENED, seed),
        "hardened wide vit": trained("wide-vit-hardened", WIDE_VIT, HARDENED, seed),
    }


def digit_surrogates(seed: int) -> Mapping[str, Recipe]:
    """A convolutional network, two layers and a mixer, on 5,000 digits of MNIST."""
    return {
        name: replace(
            trained(name, architecture, DIGITS, seed), name=f"mnist-5k-{name}", data="mnist"
        )
        for name, architecture in DIGIT_NETWORKS.items()
    }


def digit_victims(seed: int) -> Mapping[str, Recipe]:
    """The same kinds, wider."""
    return {
        name: replace(
            trained(name, architecture, DIGITS, seed), name=f"mnist-5k-{name}", data="mnist"
        )
        for name, architecture in DIGIT_VICTIMS.items()
    }


def untrained(recipe: Recipe, spread: float = 0.0) -> nn.Module:
    """The network as it is before training, with random weights.

    With a spread, its logits are scaled to that standard deviation, on average over the images of
    noise that it is tried on.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        module = recipe.architecture().eval()
        shape = data.load(recipe.data, "test").x.shape[1:]
        own = module(torch.rand(100, *shape)).detach().std(1).mean().item()
    return Scaled(module, spread / own) if spread else module


class Scaled(nn.Module):
    """A network whose logits are multiplied by a number."""

    def __init__(self, inner: nn.Module, factor: float) -> None:
        """Take the network as it is."""
        super().__init__()
        self.inner, self.factor = inner, factor

    def forward(self, x: Batch) -> ScoreAnswer:
        """Logits."""
        return self.factor * self.inner(x)


def opened(recipes: Mapping[str, Recipe]) -> dict[str, GradBox]:
    """The networks in boxes that grant gradients."""
    return {
        name: boxed(recipe.build(), data.load(recipe.data, "test"))
        for name, recipe in recipes.items()
    }


def boxed(module: nn.Module, rows: Dataset) -> GradBox:
    """A module for such rows in a box that grants gradients."""
    shape = tuple(rows.x.shape[1:])
    box = opening.open(module, access="gradient", shape=shape, emits="logits")
    assert isinstance(box, GradBox)
    return box
