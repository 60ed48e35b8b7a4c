"""Common corruptions of images: noise, blur, brightness, contrast, JPEG and shift.

Source: Hendrycks and Dietterich, ICLR 2019 (arXiv:1903.12261): the five strengths of their
CIFAR-10-C where the shorter side has at most 64 pixels, and of ImageNet-C above.
Differs: results are not rounded to 8 bits, JPEG apart; JPEG takes grey images as grey; blur and
brightness take any number of channels. The shift is none of theirs: by 1/32 of the shorter side
and strength, rounded up, in one of four directions, with the edge repeated.
"""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from math import ceil

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from pellucid.rng import Streams, ids_of

STRENGTHS = 5
SMALL = 64  # pixels of the shorter side
SHADES = 255

Images = Float[Tensor, "n channels height width"]
Change = Callable[[Images, float, Streams], Images]  # images in [0, 1], how much, randomness


@dataclass(frozen=True, kw_only=True)
class Corruption:
    """One way in which images go bad without anybody's doing."""

    name: str
    change: Change
    small: tuple[float, ...]  # how much, at each strength, of small images
    large: tuple[float, ...]
    channels: tuple[int, ...] | None = None  # that it takes; None: any number

    def takes(self, channels: int) -> bool:
        """Whether it can be done to images of so many channels."""
        return self.channels is None or channels in self.channels

    def __call__(self, x: Images, strength: int, *, low: float, high: float, seed: int) -> Images:
        """The images as they look after it; each by itself, whatever its batch mates.

        Args:
            x: images with values in [low, high].
            strength: 1 to 5.
            low: the least value of an image.
            high: the greatest.
            seed: decides, with each image's content, what it draws; all strengths draw the same.

        Returns:
            Images like x, with values in [low, high].
        """
        amounts = self.small if min(x.shape[2:]) <= SMALL else self.large
        rng = Streams(seed, [f"{i}/{self.name}" for i in ids_of(x)], x)
        unit = ((x - low) / (high - low)).clamp(0, 1)
        changed = self.change(unit, amounts[strength - 1], rng).clamp(0, 1)
        return (low + (high - low) * changed).clamp(low, high)


def add_noise(x: Images, sigma: float, rng: Streams) -> Images:
    """Gaussian noise of this standard deviation."""
    return x + sigma * rng.normal(1, x.shape[1:])[0]


def blur(x: Images, sigma: float, rng: Streams) -> Images:
    """A Gaussian filter of this standard deviation in pixels, cut at four of them."""
    del rng
    reach = int(4 * sigma + 0.5)
    taps = torch.arange(-reach, reach + 1, dtype=torch.float64)
    weights = torch.exp(-(taps**2) / (2 * sigma**2))
    weights = (weights / weights.sum()).tolist()
    for axis, edges in ((-1, (reach, reach, 0, 0)), (-2, (0, 0, reach, reach))):
        wide = functional.pad(x, edges, mode="replicate")
        # a sum in fixed order, since a convolution may round by the size of the batch
        parts = (w * wide.narrow(axis, i, x.shape[axis]) for i, w in enumerate(weights))
        x = sum(parts, torch.zeros_like(x))
    return x


def brighten(x: Images, more: float, rng: Streams) -> Images:
    """The greatest channel, which is the value of HSV, made greater; hue and saturation stay."""
    del rng
    value = x.amax(1, keepdim=True)
    share = torch.where(value > 0, x / value.clamp_min(torch.finfo(x.dtype).tiny), 1.0)
    return x + ((value + more).clamp_max(1) - value) * share


def fade(x: Images, factor: float, rng: Streams) -> Images:
    """Each channel brought closer to its mean."""
    del rng
    mean = x.double().mean((2, 3), keepdim=True).to(x)
    return mean + factor * (x - mean)


def compress(x: Images, quality: float, rng: Streams) -> Images:
    """Written as JPEG of this quality and read again; one or three channels."""
    del rng
    shades = (x * SHADES).round().byte().movedim(1, -1).numpy(force=True)
    grey = shades.shape[-1] == 1
    read = [_jpeg(image[..., 0] if grey else image, int(quality)) for image in shades]
    return torch.from_numpy(np.stack(read)).reshape(shades.shape).movedim(-1, 1).to(x) / SHADES


def _jpeg(shades: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    file = BytesIO()
    Image.fromarray(shades).save(file, "JPEG", quality=quality)
    with Image.open(file) as image:
        return np.asarray(image)


def shift(x: Images, part: float, rng: Streams) -> Images:
    """Moved by this part of the shorter side, left, right, up or down, with the edge repeated."""
    pixels = ceil(part * min(x.shape[2:]))
    way = (4 * rng.uniform(1, (1,))[0, :, 0]).long().cpu()
    wide = functional.pad(x, [pixels] * 4, mode="replicate")
    corners = (pixels * torch.tensor([(0, 1), (2, 1), (1, 0), (1, 2)])[way]).tolist()
    height, width = x.shape[2:]
    moved = [
        image[:, top : top + height, left : left + width]
        for image, (top, left) in zip(wide, corners, strict=True)
    ]
    return torch.stack(moved)


CORRUPTIONS = (
    Corruption(
        name="noise",
        change=add_noise,
        small=(0.04, 0.06, 0.08, 0.09, 0.1),
        large=(0.08, 0.12, 0.18, 0.26, 0.38),
    ),
    Corruption(
        name="blur",
        change=blur,
        small=(0.4, 0.6, 0.7, 0.8, 1.0),
        large=(1.0, 2.0, 3.0, 4.0, 6.0),
    ),
    Corruption(
        name="brightness",
        change=brighten,
        small=(0.05, 0.1, 0.15, 0.2, 0.3),
        large=(0.1, 0.2, 0.3, 0.4, 0.5),
    ),
    Corruption(
        name="contrast",
        change=fade,
        small=(0.75, 0.5, 0.4, 0.3, 0.15),
        large=(0.4, 0.3, 0.2, 0.1, 0.05),
    ),
    Corruption(
        name="jpeg",
        change=compress,
        small=(80.0, 65.0, 58.0, 50.0, 40.0),
        large=(25.0, 18.0, 15.0, 10.0, 7.0),
        channels=(1, 3),
    ),
    Corruption(
        name="shift",
        change=shift,
        small=tuple(k / 32 for k in range(1, STRENGTHS + 1)),
        large=tuple(k / 32 for k in range(1, STRENGTHS + 1)),
    ),
)
