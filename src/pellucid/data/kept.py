"""Image sets that no mirror offers as they stand: .npz files that the user keeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import torch
from numpy.typing import NDArray

from pellucid.data.archive import plain_arrays
from pellucid.data.dataset import Dataset, Split
from pellucid.data.errors import BadData
from pellucid.data.files import Published
from pellucid.data.source import About


@dataclass(frozen=True, kw_only=True)
class Part:
    """Rows of a split: two arrays of one file."""

    file: Published
    x: str = "x"  # bytes (n, h, w) or (n, h, w, 3)
    y: str = "y"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Images in .npz files below $PELLUCID_DATA; pixels are scaled to [0, 1]."""

    name: str
    parts: Mapping[Split, tuple[Part, ...]]  # joined in this order
    fold: int | None = None  # parts are the same for both: of each class every so-manieth is test
    rows: Mapping[str, int]  # by split
    shape: tuple[int, int, int]
    classes: int  # their names stand in the first file as class_names, or they have none
    provenance: str  # where from, what differs from the published set, the licence

    def load(self, split: Split) -> Dataset:
        """The rows of one split in their order in the files; x is (n, channels, h, w).

        Raises:
            MissingFile: a file is not in $PELLUCID_DATA.
            WrongChecksum: a file there is another.
            BadData: a file does not hold the arrays that it should.
        """
        files = [self._arrays(part) for part in self.parts[split]]
        x = np.concatenate([arrays["x"] for arrays in files])
        y = np.concatenate([arrays["y"] for arrays in files]).astype(np.int64)
        if self.fold is not None:
            chosen = held_out(y, self.fold) == (split == "test")
            x, y = x[chosen], y[chosen]
        images = torch.from_numpy(x).to(torch.float32).div_(255)
        names = files[0].get("class_names", np.arange(self.classes))
        return Dataset(
            name=self.name,
            split=split,
            x=images.movedim(-1, 1).contiguous(),
            y=torch.from_numpy(y),
            low=0.0,
            high=1.0,
            class_names=tuple(str(name) for name in names[: self.classes]),
            provenance=self.provenance,
        )

    def digest(self) -> str:
        """One checksum over the files and the rule of the split; needs no file."""
        lines = [
            f"{split} {part.file.sha256} {part.x} {part.y} {self.fold}"
            for split, parts in sorted(self.parts.items())
            for part in parts
        ]
        return sha256("\n".join(lines).encode()).hexdigest()

    def about(self) -> About:
        """What can be said of it without reading it."""
        return About(
            name=self.name,
            rows=self.rows,
            shape=self.shape,
            classes=self.classes,
            provenance=self.provenance,
            here=all(part.file.here() for parts in self.parts.values() for part in parts),
        )

    def _arrays(self, part: Part) -> dict[str, NDArray[np.generic]]:
        """Images x (n, h, w, channels), their labels y (n,), and perhaps class_names."""
        path = part.file.fetch()
        arrays, found = plain_arrays(path, (part.x, part.y, "class_names"))
        channels, height, width = self.shape
        try:
            x, y = arrays.pop(part.x), arrays.pop(part.y)
            x = x.astype(np.uint8, casting="no").reshape(len(y), height, width, channels)
        except (KeyError, TypeError, ValueError) as error:
            raise BadData(
                f"{path} has no bytes of {self.name} in {part.x} and {part.y} (it has {found}); "
                "put the right file there."
            ) from error
        return arrays | {"x": x, "y": y}


def held_out(y: NDArray[np.int64], fold: int) -> NDArray[np.bool_]:
    """Which rows are test rows: of each class, in the order of the rows, every `fold`-th."""
    order = np.argsort(y, kind="stable")
    place = np.empty(len(y), np.int64)  # among the rows of its class
    place[order] = np.arange(len(y)) - np.searchsorted(y[order], y[order])
    return place % fold == fold - 1
