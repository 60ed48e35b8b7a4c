"""Parts: how an input is cut into what is hidden, and explained, together."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Int
from numpy.typing import NDArray
from torch import Tensor

from pellucid.errors import UserError
from pellucid.extras import extra
from pellucid.shapes import Batch
from pellucid.spec import Dense, Image, Spec

Parts = Int[Tensor, "n places"]  # the part of each place, counted from 0 in each row
Segments = NDArray[np.int64]  # (places,): any numbers that tell parts apart
Cut = Literal["grid", "slic", "quickshift"]

FEWEST = 4  # pixels of a part, on average
COMPACT = 10.0  # SLIC's usual weight of place against colour, where colours run to 100
QUICK_WIDTH = 0.2  # width of Quickshift's kernel in sides of a part: fewer modes than parts
COLOUR_RATIO = 0.2  # weight of colour against place in Quickshift


@dataclass(frozen=True)
class Superpixels:
    """About so many parts, whatever the size of the input.

    An image is cut over its height and width, all channels of a place together, into parts of four
    pixels or more on average: a single one hardly shows whether it is hidden. A vector is cut into
    runs of neighbouring numbers, of one where there are no more than `about`.
    """

    cut: Cut = "grid"  # slic and quickshift follow the colours of an image
    about: int = 49  # parts to aim at

    def __post_init__(self) -> None:
        if self.cut not in get_args(Cut):
            known = ", ".join(get_args(Cut))
            raise UserError(f"There is no cut {self.cut!r}: choose one of {known}.")
        if self.about < 1:
            raise UserError(f"An input has at least one part, but about {self.about} are wanted.")

    def __call__(self, spec: Spec, x: Batch) -> Parts:
        """The part of each place of each row (n, places): pixels, or numbers of a vector.

        Raises:
            UserError: slic or quickshift of vectors.
            MissingExtra: slic or quickshift without scikit-image.
        """
        dense = spec.dense()
        if not isinstance(dense, Image):
            if self.cut != "grid":
                raise UserError(f"The cut {self.cut} follows colours: give a vector the cut grid.")
            return _grid(1, prod(dense.shape), self.about).to(x.device).expand(len(x), -1)
        _, height, width = dense.shape
        about = max(1, min(self.about, height * width // FEWEST))
        if self.cut == "grid":
            return _grid(height, width, about).to(x.device).expand(len(x), -1)
        segments = [CUTS[self.cut](_colours(image, dense), about) for image in x.detach()]
        numbered = [np.unique(one, return_inverse=True)[1].reshape(-1) for one in segments]
        return torch.from_numpy(np.stack(numbered)).to(x.device)


def _grid(height: int, width: int, about: int) -> Tensor:
    """Rectangles as square as may be (places,)."""
    down = min(height, max(1, round((about * height / width) ** 0.5)))
    across = min(width, max(1, round(about / down)))
    rows = torch.arange(height) * down // height
    return (rows[:, None] * across + torch.arange(width) * across // width).reshape(-1)


def _colours(image: Tensor, dense: Dense) -> NDArray[np.float64]:
    """An image as (height, width, channels) from 0 to 1."""
    low, high = dense.low, dense.high
    if not np.isfinite([low, high]).all():
        low, high = float(image.min()), float(image.max())
    scaled = (image.double() - low) / max(high - low, torch.finfo(torch.float64).tiny)
    return scaled.permute(1, 2, 0).contiguous().cpu().numpy()


def _slic(image: NDArray[np.float64], about: int) -> Segments:
    """SLIC of Achanta et al., TPAMI 2012; as compact as it must be to leave half the parts.

    It joins what it leaves in crumbs, so that a noisy image would become a single part.
    """
    with extra("explain", "The cut slic"):
        from skimage.segmentation import slic
    compactness = COMPACT if image.shape[-1] == 3 else COMPACT / 100  # Lab runs to 100
    while True:
        found = slic(image, n_segments=about, compactness=compactness, start_label=0)
        if 2 * len(np.unique(found)) >= about:
            return found.reshape(-1)
        compactness *= 10


def _quickshift(image: NDArray[np.float64], about: int) -> Segments:
    """Quickshift of Vedaldi and Soatto, ECCV 2008: the tree of modes without its longest links.

    The method's own limit on a link's length depends on image and size; a count of parts does not.
    """
    with extra("explain", "The cut quickshift"):
        from skimage.segmentation import quickshift
    size = image[..., 0].size
    channels = image.shape[-1]
    _, parents, lengths = quickshift(
        np.repeat(image, 3, axis=-1) if channels == 1 else image,
        ratio=COLOUR_RATIO,
        kernel_size=max(1.0, QUICK_WIDTH * (size / about) ** 0.5),
        max_dist=10**9,  # no limit
        return_tree=True,
        convert2lab=channels in (1, 3),
        rng=0,  # breaks ties
    )
    parents, lengths = np.asarray(parents).reshape(-1), np.asarray(lengths).reshape(-1)
    roots = np.argsort(-lengths, kind="stable")[:about]  # links of modes have no end
    parents[roots] = roots
    while (parents != parents[parents]).any():
        parents = parents[parents]
    return parents


CUTS: dict[Cut, Callable[[NDArray[np.float64], int], Segments]] = {
    "slic": _slic,
    "quickshift": _quickshift,
}

GRID = Superpixels()
