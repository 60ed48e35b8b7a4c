"""Handwritten digits in a colour and in a corner, each image with a caption that says which.

The embedded UCI digits are painted on dark 32x32 canvases: 4 colours, 10 digits, 4 corners and so
160 captions, for models of images and words. Those of the training part are never in the test part.
"""

from dataclasses import dataclass
from hashlib import sha256
from itertools import product
from pathlib import Path

import numpy as np
import torch
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

from pellucid.data.dataset import Dataset, Split
from pellucid.data.digits import Digits
from pellucid.data.files import sha256 as checksum
from pellucid.data.source import About

SIZE = 32  # pixels of a canvas
INK = 16  # pixels of a digit, twice its own 8
SLACK = 3  # pixels by which a digit may stand off its corner's place
LEVELS = 255  # images are rounded to bytes, as cameras give them
COLOURS = {
    "red": (0.95, 0.25, 0.2),
    "green": (0.2, 0.8, 0.25),
    "blue": (0.25, 0.35, 0.95),
    "yellow": (0.9, 0.8, 0.15),
}
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
CORNERS = {  # row and column of the upper left pixel, before it moves by up to SLACK
    "top left": (0, 0),
    "top right": (0, SIZE - INK - SLACK),
    "bottom left": (SIZE - INK - SLACK, 0),
    "bottom right": (SIZE - INK - SLACK, SIZE - INK - SLACK),
}
CAPTIONS = tuple(" ".join(parts) for parts in product(COLOURS, DIGITS, CORNERS))
ROWS = {"train": 4800, "test": 1600}
STREAMS: dict[Split, int] = {"train": 0, "test": 1}  # of random numbers
PROVENANCE = (
    "Drawn by Pellucid with seed 0 from the UCI handwritten digits of Alpaydin & Kaynak, 1998 "
    "(licence CC BY 4.0): not photographs."
)


@dataclass(frozen=True, kw_only=True)
class CaptionedDigits:
    """4,800 training and 1,600 test images in [0, 1], as many of each of 160 captions."""

    name: str = "captioned-digits"

    def load(self, split: Split) -> Dataset:
        """The rows of one split in random order; x is (n, 3, 32, 32), y the number of a caption."""
        rng = Generator(PCG64(SeedSequence([0, STREAMS[split]])))
        y = rng.permutation(np.arange(ROWS[split]) % len(CAPTIONS))
        digits = Digits().load(split)
        x = _painted(y, digits.x.numpy()[:, 0], digits.y.numpy(), rng)
        return Dataset(
            name=self.name,
            split=split,
            x=torch.from_numpy(x.astype(np.float32)),
            y=torch.from_numpy(y),
            low=0.0,
            high=1.0,
            class_names=CAPTIONS,
            provenance=PROVENANCE,
        )

    def digest(self) -> str:
        """A checksum of the digits and of the code that paints them."""
        return sha256(f"{Digits().digest()}/{checksum(Path(__file__))}".encode()).hexdigest()

    def about(self) -> About:
        """What can be said of it without reading it."""
        return About(
            name=self.name,
            rows=ROWS,
            shape=(3, SIZE, SIZE),
            classes=len(CAPTIONS),
            provenance=PROVENANCE,
            here=True,
        )


def _painted(
    y: NDArray[np.int64], ink: NDArray[np.float32], labels: NDArray[np.int64], rng: Generator
) -> NDArray[np.float64]:
    """One image of each caption in y (n,), with a digit drawn from those at hand (m, 8, 8)."""
    colour, digit, corner = np.unravel_index(y, (len(COLOURS), len(DIGITS), len(CORNERS)))
    tint = np.array(list(COLOURS.values()))[colour] + rng.uniform(-0.1, 0.1, (len(y), 3))
    x = rng.uniform(0, 0.25, (len(y), 3, 1, 1)) + rng.normal(0, 0.03, (len(y), 3, SIZE, SIZE))
    places = np.array(list(CORNERS.values()))[corner] + rng.integers(0, SLACK + 1, (len(y), 2))
    pools = [np.flatnonzero(labels == number) for number in range(len(DIGITS))]
    for row, (down, across) in enumerate(places):
        cover = np.kron(ink[rng.choice(pools[digit[row]])], np.ones((2, 2)))
        patch = x[row, :, down : down + INK, across : across + INK]
        patch += cover * (tint[row][:, None, None] - patch)
    return np.round(LEVELS * x.clip(0, 1)) / LEVELS
