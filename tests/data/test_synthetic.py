"""Sets that are drawn: their geometry, their streams, and what a network makes of them."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
import xxhash
from torch import nn
from torch.nn import functional

from pellucid import data
from pellucid.data.planar import NOISE, RADII
from pellucid.data.registry import BadSeed
from pellucid.naming import UnknownName

NAMES = ("moons", "blobs", "rings", "shapes")


def bits(rows):
    return xxhash.xxh3_128_hexdigest(rows.x.numpy().tobytes() + rows.y.numpy().tobytes())


@pytest.mark.parametrize("name", NAMES)
def test_facts(name):
    for split in ("train", "test"):
        rows = data.load(name, split)
        assert (rows.name, rows.split, rows.x.dtype) == (name, split, torch.float32)
        counts = rows.y.bincount()
        assert counts.max() - counts.min() <= 1
        assert len(counts) == len(rows.class_names)
        assert rows.low <= rows.x.min()
        assert rows.x.max() <= rows.high
        about = next(about for about in data.describe() if about.name == name)
        assert (about.rows[split], about.shape, about.classes) == (
            len(rows),
            rows.shape,
            len(rows.class_names),
        )


@pytest.mark.parametrize("name", NAMES)
def test_seeds_and_splits_have_streams_of_their_own(name):
    drawn = [data.load(f"{name}:{seed}", split) for seed in (0, 1) for split in ("train", "test")]
    assert len({bits(rows) for rows in drawn}) == 4
    assert bits(data.load(name)) == bits(drawn[0])
    assert (drawn[0].name, drawn[2].name) == (name, f"{name}:1")
    assert "seed 1" in drawn[2].provenance
    rows = [row.numpy().tobytes() for part in drawn for row in part.x]
    assert len(set(rows)) == len(rows)


def test_the_same_seed_gives_the_same_bits_in_another_process():
    code = (
        "import torch, numpy; torch.manual_seed(5); numpy.random.seed(5)\n"
        "from pellucid import data\n"
        "for name in ('moons:7', 'shapes:7'):\n"
        "    rows = data.load(name, 'test')\n"
        "    import xxhash\n"
        "    x, y = rows.x.numpy().tobytes(), rows.y.numpy().tobytes()\n"
        "    print(xxhash.xxh3_128_hexdigest(x + y), data.digest(name))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    expected = [f"{bits(data.load(n, 'test'))} {data.digest(n)}" for n in ("moons:7", "shapes:7")]
    assert done.stdout.splitlines() == expected


def test_digests():
    assert data.digest("moons") == data.digest("moons:0") != data.digest("moons:1")
    assert data.digest("moons") != data.digest("rings")


@pytest.mark.parametrize("seed", ["", "-1", "one", "1.", "0x1", "1" * 30])
def test_bad_seeds(seed):
    with pytest.raises(BadSeed, match="The seed of 'moons' is a whole number from 0"):
        data.load(f"moons:{seed}")


def test_only_drawn_sets_have_seeds():
    with pytest.raises(BadSeed, match="'digits' is not drawn from a seed; leave out ':3'"):
        data.load("digits:3")
    with pytest.raises(UnknownName, match="did you mean moons"):
        data.load("moon:3")


def test_moons_lie_on_their_circles():
    rows = data.load("moons")
    x, y = rows.x.double().numpy(), rows.y.numpy()
    centres = np.array([[-0.5, -0.25], [0.5, 0.25]])
    off = np.linalg.norm(x - centres[y], axis=1) - 1
    assert abs(off).max() < 3 * NOISE * 2**0.5
    assert off.std() == pytest.approx(NOISE, rel=0.1)
    side = np.where(y == 0, 1, -1) * (x[:, 1] - centres[y][:, 1])
    assert side.min() > -3 * NOISE - 1e-6


def test_rings_lie_on_their_circles():
    rows = data.load("rings")
    radius = rows.x.norm(dim=1)
    assert (radius - torch.tensor(RADII)[rows.y]).abs().max() < 3 * NOISE * 2**0.5


def test_blobs_are_nearest_to_their_centres():
    rows = data.load("blobs")
    centres = torch.stack([rows.x[rows.y == label].mean(0) for label in range(3)])
    near = torch.cdist(rows.x, centres).argmin(1)
    assert (near == rows.y).float().mean() > 0.98


@pytest.mark.slow
def test_a_network_learns_the_shapes_in_seconds_and_needs_its_channels():
    torch.manual_seed(0)
    train, test = data.load("shapes"), data.load("shapes", "test")
    net = nn.Sequential(
        nn.Conv2d(3, 16, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 16, len(train.class_names)),
    )
    adam = torch.optim.Adam(net.parameters(), 5e-3)
    for _ in range(8):
        for rows in torch.randperm(len(train)).split(32):
            adam.zero_grad()
            functional.cross_entropy(net(train.x[rows]), train.y[rows]).backward()
            adam.step()

    def accuracy(x):
        with torch.no_grad():
            return (net(x).argmax(1) == test.y).float().mean().item()

    assert accuracy(test.x) > 0.9
    assert accuracy(test.x.flip(1)) < 0.1
    assert accuracy(test.x * 255) < accuracy(test.x) - 0.1
    assert accuracy((test.x - 0.5) / 0.25) < accuracy(test.x) - 0.1
