"""Where a picture is salient: keypoints, how strong each is, and the pixels around it."""

from collections.abc import Callable
from dataclasses import dataclass
from math import pi
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pellucid.extras import extra

SaliencyName = Literal["sift", "uniform", "pixels"]
Picture = Float[Tensor, "height width"]  # from 0 to 1


@dataclass(frozen=True, eq=False, kw_only=True)
class Saliency:
    """A mixture of keypoints, each a distribution over pixels."""

    weights: Float[Tensor, " keypoints"]  # add up to one
    densities: Float[Tensor, "keypoints pixels"]  # each adds up to one


def sift(picture: Picture, enlarge: int, widen: float) -> Saliency:
    """SIFT's keypoints by their responses, each a Gaussian around its place.

    Keypoints of Lowe, IJCV 2004, in the enlarged picture; the deviation is their size (twice their
    scale) and `widen` more, in enlarged pixels. A picture without any is salient everywhere.
    """
    with extra("explain", "SIFT"):
        from skimage.feature import SIFT
    big = functional.interpolate(
        picture.double()[None, None], scale_factor=enlarge, mode="bilinear"
    )[0, 0].numpy()
    detector = SIFT(upsampling=1)
    try:
        detector.detect(big)
    except RuntimeError:  # it found no keypoint
        return uniform(picture, enlarge, widen)
    places, scales = np.asarray(detector.positions), np.asarray(detector.sigmas)
    # one keypoint may have several orientations
    found = np.unique(np.concatenate([places, scales[:, None]], 1), axis=0)
    weights = torch.tensor([_response(big, *each) for each in found.tolist()]).double()
    densities = [_around(picture, enlarge, y, x, 2 * s + widen) for y, x, s in found.tolist()]
    return Saliency(weights=weights / weights.sum(), densities=torch.stack(densities))


def uniform(picture: Picture, _enlarge: int, _widen: float) -> Saliency:
    """One keypoint, which is everywhere."""
    pixels = picture.numel()
    return Saliency(
        weights=torch.ones(1).double(), densities=torch.full((1, pixels), 1 / pixels).double()
    )


def pixels(picture: Picture, _enlarge: int, _widen: float) -> Saliency:
    """Each pixel a keypoint of itself."""
    count = picture.numel()
    return Saliency(
        weights=torch.full((count,), 1 / count).double(), densities=torch.eye(count).double()
    )


SALIENCIES: dict[SaliencyName, Callable[[Picture, int, float], Saliency]] = {
    "sift": sift,
    "uniform": uniform,
    "pixels": pixels,
}


def _response(big: NDArray[np.float64], y: float, x: float, scale: float) -> float:
    """How much darker or lighter a blob of this scale is than what is around it.

    The size of the scale-normalised Laplacian of Gaussian, to which SIFT's difference of Gaussians
    is proportional: scikit-image does not keep that.
    """
    down = (np.arange(big.shape[0]) - y)[:, None] / scale
    across = (np.arange(big.shape[1]) - x)[None] / scale
    squares = down**2 + across**2
    kernel = (squares - 2) * np.exp(-squares / 2) / (2 * pi * scale**2)
    return abs(float((kernel * big).sum())) + 1e-12


def _around(picture: Picture, enlarge: int, y: float, x: float, deviation: float) -> Tensor:
    """A Gaussian around a place of the enlarged picture, over pixels."""
    height, width = picture.shape
    down = (torch.arange(height).double() + 0.5) * enlarge - 0.5 - y
    across = (torch.arange(width).double() + 0.5) * enlarge - 0.5 - x
    squares = (down**2)[:, None] + across**2
    return (-squares / (2 * deviation**2)).flatten().softmax(0)
