"""Data sets that are drawn from a seed: NAME or NAME:SEED."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from inspect import getfile
from pathlib import Path

import numpy as np
import torch
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

from pellucid.data.coloured_shapes import CLASS_NAMES, SIZE, coloured_shapes
from pellucid.data.dataset import Dataset, Split
from pellucid.data.planar import blobs, moons, rings
from pellucid.data.source import About

STREAMS: dict[Split, int] = {"train": 0, "test": 1}  # no split draws from the other's stream


@dataclass(frozen=True, kw_only=True)
class Synthetic:
    """Rows that a function draws for classes of equal sizes; the same seed gives the same bits."""

    family: str
    draw: Callable[[NDArray[np.int64], Generator], NDArray[np.float64]]  # (y, rng) -> x
    rows: Mapping[str, int]  # by split
    shape: tuple[int, ...]
    low: float
    high: float
    class_names: tuple[str, ...]
    seed: int = 0

    @property
    def name(self) -> str:
        """What it is called; the seed 0 goes without saying."""
        return f"{self.family}:{self.seed}" if self.seed else self.family

    @property
    def provenance(self) -> str:
        """Where the rows come from."""
        return f"Drawn by Pellucid with seed {self.seed}; not real data."

    def load(self, split: Split) -> Dataset:
        """The rows of one split in random order; x is (n, *shape)."""
        rng = Generator(PCG64(SeedSequence([self.seed, STREAMS[split]])))
        y = rng.permutation(np.arange(self.rows[split]) % len(self.class_names))
        return Dataset(
            name=self.name,
            split=split,
            x=torch.from_numpy(self.draw(y, rng).astype(np.float32)),
            y=torch.from_numpy(y),
            low=self.low,
            high=self.high,
            class_names=self.class_names,
            provenance=self.provenance,
        )

    def digest(self) -> str:
        """A checksum of the name, the seed, the sizes and the code that draws."""
        state = sha256(f"{self.family}:{self.seed}/{sorted(self.rows.items())}".encode())
        for file in (getfile(sys.modules[self.draw.__module__]), __file__):
            state.update(Path(file).read_bytes())
        return state.hexdigest()

    def about(self) -> About:
        """What can be said of it without reading it."""
        return About(
            name=self.name,
            rows=self.rows,
            shape=self.shape,
            classes=len(self.class_names),
            provenance=self.provenance,
            here=True,
        )


SYNTHETIC = (
    *(
        Synthetic(
            family=draw.__name__,
            draw=draw,
            rows={"train": 1000, "test": 1000},
            shape=(2,),
            low=-2.0,
            high=2.0,
            class_names=class_names,
        )
        for draw, class_names in (
            (moons, ("upper", "lower")),
            (blobs, ("left", "right", "top")),
            (rings, ("inner", "outer")),
        )
    ),
    Synthetic(
        family="shapes",
        draw=coloured_shapes,
        rows={"train": 2000, "test": 500},
        shape=(3, SIZE, SIZE),
        low=0.0,
        high=1.0,
        class_names=CLASS_NAMES,
    ),
)
