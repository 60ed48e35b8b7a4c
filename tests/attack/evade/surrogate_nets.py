"""Small smooth networks that stand for surrogates."""

import itertools

import torch
from torch import nn

import pellucid
from pellucid.rng import Streams, ids_of


def draws(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def nets(count, shape=(2, 3, 2), classes=4):
    """Networks in float64, each with weights of its own."""
    made = []
    for number in range(count):
        size = torch.Size(shape).numel()
        net = nn.Sequential(nn.Flatten(), nn.Linear(size, 9), nn.Tanh(), nn.Linear(9, classes))
        net = net.double()
        for weight, part in zip(net.parameters(), itertools.count(), strict=False):
            weight.data = draws(*weight.shape, seed=10 * number + part)
        made.append(net)
    return made


def boxes(modules, shape=(2, 3, 2)):
    return [
        pellucid.open(net, access="gradient", shape=shape, bounds=(-9.0, 9.0), emits="logits")
        for net in modules
    ]


def rows(modules, shape=(2, 3, 2), count=4):
    """Rows, with the class that the first network gives them."""
    x = draws(count, *shape, seed=99)
    return x, modules[0](x).argmax(1)


def streams(x, seed=0):
    return Streams(seed, ids_of(x), x)


def of_size_one(g):
    return g / g.abs().sum()
