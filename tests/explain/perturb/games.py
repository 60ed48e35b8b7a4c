"""Boxes of one function of a vector, and targets that read it."""

import torch
from tests.subjects import Formula

from pellucid.box.torch_box import TorchBox
from pellucid.explain import label
from pellucid.spec import Image, Spec, Values, Vector


def value_box(function, size):
    """A box of raw values: one number a row of `size` numbers, in float64 if asked so."""
    spec = Spec(input=Vector(shape=(size,), low=-1e3, high=1e3), answer=Values(size=1))
    return TorchBox(module=Formula(lambda z: function(z)[:, None]), spec=spec)


def image_box(function, shape, low=0.0, high=1.0):
    """The same of an image."""
    spec = Spec(input=Image(shape=shape, low=low, high=high), answer=Values(size=1))
    return TorchBox(module=Formula(lambda z: function(z)[:, None]), spec=spec)


def columns(rows):
    """The box's only number, in so many rows."""
    return label(torch.zeros(rows, dtype=torch.long))
