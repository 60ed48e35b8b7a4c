"""The UCI handwritten digits, embedded: 1,797 grey images of 8x8 pixels.

Source: Alpaydin & Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
Repository, 1998, doi:10.24432/C50P49 (the repository's test part, by 13 writers, as scikit-learn
distributes it). Licence: CC BY 4.0. `scripts/embed_digits.py` makes the file.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pellucid.data.dataset import Dataset, Split
from pellucid.data.files import sha256
from pellucid.data.source import About

HERE = Path(__file__).with_name("digits.npz")
INK = 16  # the greatest grey value as published
PROVENANCE = (
    "The test part (13 writers) of the UCI handwritten digits of Alpaydin & Kaynak, 1998, split by "
    "Pellucid into two parts stratified by class; licence CC BY 4.0."
)


@dataclass(frozen=True, kw_only=True)
class Digits:
    """1,297 training and 500 test images, stratified by class; pixels are scaled to [0, 1]."""

    name: str = "digits"

    def load(self, split: Split) -> Dataset:
        """The rows of one split; x is (n, 1, 8, 8)."""
        with np.load(HERE, allow_pickle=False) as arrays:
            x, y = arrays[f"x_{split}"], arrays[f"y_{split}"]
        return Dataset(
            name=self.name,
            split=split,
            x=torch.from_numpy(x).to(torch.float32).unsqueeze(1) / INK,
            y=torch.from_numpy(y).to(torch.int64),
            low=0.0,
            high=1.0,
            class_names=tuple("0123456789"),
            provenance=PROVENANCE,
        )

    def digest(self) -> str:
        """The checksum of the embedded file."""
        return sha256(HERE)

    def about(self) -> About:
        """What can be said of it without reading it."""
        return About(
            name=self.name,
            rows={"train": 1297, "test": 500},
            shape=(1, 8, 8),
            classes=10,
            provenance=PROVENANCE,
            here=True,
        )
