"""Trained networks that come with the package."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from pellucid.models.small_cnn import SmallCNN
from pellucid.naming import unknown

WEIGHTS = Path(__file__).with_name("weights")  # made by scripts/embed_digits_cnn.py


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a box must know of a network, and what it was trained on."""

    shape: tuple[int, ...]  # of one row
    low: float  # the least value an input may take
    high: float  # the greatest
    classes: int
    data: str  # the name of its data set


DIGITS_CNN = partial[nn.Module](SmallCNN, (1, 8, 8), classes=10, hidden=64)

NETWORKS: dict[str, tuple[partial[nn.Module], Facts]] = {
    "digits-cnn": (
        DIGITS_CNN,
        Facts(shape=(1, 8, 8), low=0.0, high=1.0, classes=10, data="digits"),
    ),
}
BUILTINS = tuple(NETWORKS)


def builtin(name: str) -> tuple[nn.Module, Facts]:
    """A trained network in eval mode on the CPU, and the facts of its questions and answers.

    Raises:
        UnknownName: there is no such network; the nearest names are given.
    """
    if name not in NETWORKS:
        raise unknown("builtin model", name, BUILTINS)
    build, facts = NETWORKS[name]
    with torch.device("meta"):  # no weights are drawn, so the global generator stays where it is
        module = build()
    module.load_state_dict(load_file(WEIGHTS / f"{name}.safetensors"), assign=True)
    return module.eval(), facts
