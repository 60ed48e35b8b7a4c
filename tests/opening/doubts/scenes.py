"""Small colour images whose classes lie in colour, brightness and direction, and nets for them.

Exchanged channels, axes or intensities turn one class into another, so that each fault looks like
wrong labels too; and classes differ in brightness, so that a wrong scale makes errors.
"""

import json
import re
from copy import deepcopy
from dataclasses import asdict, replace
from functools import cache, partial

import numpy as np
import torch
from tests.subjects import Formula
from torch import nn

from pellucid import fit
from pellucid.data import Dataset
from pellucid.models.small_cnn import SmallCNN
from pellucid.opening import Facts, understand
from pellucid.opening.doubts import doubts

SIZE = 12
SHAPE = (3, SIZE, SIZE)
NAMES = tuple(f"{c} {way}" for way in ("lying", "standing") for c in ("dim", "red", "blue", "pink"))
SCALES = {  # mean and std of images from 0 to 1
    "none": ((0.0,), (1.0,)),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "cifar": ((0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)),
    "half": ((0.5,), (0.5,)),
    "bytes": ((0.0,), (1 / 255,)),
    "caffe": ((123.68 / 255, 116.779 / 255, 103.939 / 255), (1 / 255,)),
    "own": ((0.27, 0.26, 0.27), (0.17, 0.13, 0.17)),
}


def scenes(rows, seed):
    """Bars on dark noise: two levels of red, two of blue, two directions."""
    rng = torch.Generator().manual_seed(seed)
    y = torch.randint(8, (rows,), generator=rng)
    red, blue, standing = y % 2, y // 2 % 2, (y // 4 == 1)[:, None, None]
    places = torch.arange(SIZE) - SIZE / 2 + 0.5
    down, across = (
        (line - 3 * torch.rand(rows, 1, 1, generator=rng) + 1.5).expand(rows, SIZE, SIZE).abs()
        for line in (places[None, :, None], places[None, None, :])
    )
    bar = torch.where(standing, (down < 4) & (across < 1.5), (across < 4) & (down < 1.5))
    colour = torch.stack([0.35 + 0.4 * red, torch.full((rows,), 0.5), 0.35 + 0.4 * blue], 1)
    colour = colour + 0.05 * torch.randn(rows, 3, generator=rng)
    ground = 0.2 + 0.05 * torch.randn(rows, *SHAPE, generator=rng)
    x = torch.where(bar[:, None], colour[:, :, None, None], ground).clamp(0, 1)
    return x, y


def dataset(x, y, names=NAMES, low=0.0, high=1.0):
    return Dataset(name="scenes", split=None, x=x, y=y, low=low, high=high, class_names=names)


def normalised(x, scale):
    mean, std = (torch.tensor(numbers).reshape(-1, 1, 1) for numbers in SCALES[scale])
    return (x - mean) / std


def trained(module, x, y, epochs, seed=0):
    """The module after each epoch, in eval mode."""
    for _ in fit.fit(
        module, x, y, epochs=epochs, batch=32, rng=torch.Generator().manual_seed(seed),
        optimiser=partial(torch.optim.Adam, lr=4e-3),
    ):  # fmt: skip
        yield deepcopy(module).eval()


def made(make, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make()


def small(seed=0):
    return made(partial(SmallCNN, SHAPE, 8, (8, 16), 32), seed)


@cache
def net(scale="none"):
    """A good network for scenes, that wants them on this scale."""
    if scale == "none":
        return [*trained(small(), *scenes(800, 0), epochs=7)][-1]
    mean, std = (torch.tensor(numbers).reshape(-1, 1, 1) for numbers in SCALES[scale])
    inner = net()
    return Formula(lambda x: inner(x * std + mean))


@cache
def weak_nets(seed):
    """Five networks of little training, each trained for longer."""
    scale = list(SCALES)[seed]
    x, y = scenes(256, seed)
    return scale, [*trained(small(seed), normalised(x, scale), y, 5, seed)]


@cache
def flat_net():
    """One without convolutions, which takes any order of axes."""
    layers = [nn.Flatten(), nn.Linear(3 * SIZE * SIZE, 64), nn.ReLU(), nn.Linear(64, 8)]
    return [*trained(made(partial(nn.Sequential, *layers)), *scenes(800, 0), epochs=8)][-1]


def opened(module, shape=SHAPE, emits="logits", **facts):
    return understand(module, declared=Facts(shape=shape, emits=emits, **facts))


def scaled(module, scale):
    mean, std = SCALES[scale]
    return opened(module, mean=mean, std=std)


@cache
def own():
    return dataset(*scenes(400, 1))


def names_of(examination):
    return [doubt.name for doubt in examination.doubts]


def seen(model, data, **how):
    """The examination, which must be tellable: JSON, and sentences of one line."""
    examination = doubts(model, data, **how)
    json.dumps(asdict(examination), allow_nan=False)
    for doubt in examination.doubts:
        assert re.fullmatch(r"[A-Z][^\n]*\.", doubt.sentence)
    return examination


def mended(doubt, data):
    """The data as the sentence says to mend them."""
    told = re.search(r"as in (.*)\.$", doubt.sentence)[1]
    x = eval(told, {"x": data.x.numpy(), "low": data.low, "high": data.high})
    return replace(data, x=torch.from_numpy(np.ascontiguousarray(x)))
