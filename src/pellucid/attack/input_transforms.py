"""Other views of an input, and smoother gradients, so that an attack fits its surrogates less."""

from dataclasses import dataclass
from math import exp

import torch
from torch import Tensor
from torch.nn import functional

from pellucid.attack.evade._picture import planes
from pellucid.errors import UserError
from pellucid.rng import Streams
from pellucid.shapes import Batch, Draws


@dataclass(frozen=True, kw_only=True)
class Diversity:
    """Sometimes a picture is shown smaller, somewhere on an even ground.

    The input diversity (DI) of Xie et al., CVPR 2019, as it is used where networks take one size.
    """

    probability: float = 0.0  # of being shown smaller; the paper's is 0.5, 0 leaves it out
    rate: float = 0.9  # the smallest size, of the picture's
    ground: float = 0.0  # what is around it, in the user's units

    def __post_init__(self) -> None:
        if not (0 <= self.probability <= 1 and 0 < self.rate <= 1):
            raise UserError(
                "Diversity takes a probability from 0 to 1 and a rate above 0 and up to 1, "
                f"not {self.probability} and {self.rate}."
            )

    def __call__(self, z: Draws, rng: Streams) -> Draws:
        """Each of the pictures (k, n, *shape) as it is, or smaller, by draws of its row."""
        if not self.probability:
            return z
        whether, size, top, left = rng.uniform(len(z), (4,)).flatten(0, 1).unbind(-1)
        pictures = z.flatten(0, 1).reshape(-1, *planes(tuple(z.shape[2:])))
        down, inside_down = self._places(pictures.shape[2], size, top)
        across, inside_across = self._places(pictures.shape[3], size, left)
        sizes = (len(pictures), pictures.shape[2], pictures.shape[3])
        grid = torch.stack([across[:, None].expand(sizes), down[..., None].expand(sizes)], -1)
        small = functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
        inside = inside_down[:, None, :, None] & inside_across[:, None, None]
        small = torch.where(inside, small, self.ground)
        shrunk = (whether < self.probability)[:, None, None, None]
        return torch.where(shrunk, small, pictures).reshape(z.shape)

    def _places(self, length: int, size: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
        """Along one side, which place of the picture each pixel shows, and whether it shows any.

        Places run from -1 to 1, from edge to edge.
        """
        least = max(1, int(self.rate * length))
        size = (least + size * (length - least)).floor()[:, None]
        first = (first[:, None] * (length - size)).floor()
        pixel = torch.arange(length).to(size)
        place = 2 * (pixel - first + 0.5) / size - 1
        return place, (pixel >= first) & (pixel < first + size)


@dataclass(frozen=True, kw_only=True)
class Smoothing:
    """A gradient blurred by a Gaussian: about the mean gradient over shifted pictures.

    The translation invariance (TI) of Dong et al., CVPR 2019.
    """

    width: int = 1  # of the kernel in pixels, an odd number; the paper's is 15, 1 leaves it out
    deviations: float = 3.0  # of the Gaussian, from its middle to the kernel's edge

    def __post_init__(self) -> None:
        if self.width < 1 or not self.width % 2:
            raise UserError(f"A kernel is an odd number of pixels wide, not {self.width}.")

    def __call__(self, gradient: Batch) -> Batch:
        """The gradient (n, *shape) blurred down and across; zeros lie around it."""
        if self.width == 1:
            return gradient
        maps = gradient.reshape(len(gradient), *planes(tuple(gradient.shape[1:])))
        for axis in (2, 3):
            maps = self._along(axis, maps)
        return maps.reshape(gradient.shape)

    def _along(self, axis: int, maps: Tensor) -> Tensor:
        """One sum of shifted maps: a convolution has other bits in other company."""
        reach = self.width // 2
        around = (reach, reach, 0, 0) if axis == 3 else (0, 0, reach, reach)
        padded = functional.pad(maps, around)
        bells = [
            exp(-((self.deviations * (place - reach) / reach) ** 2) / 2)
            for place in range(self.width)
        ]
        out = torch.zeros_like(maps)
        for place, bell in enumerate(bells):
            shifted = padded.narrow(axis, place, maps.shape[axis])
            out = torch.add(out, shifted, alpha=bell / sum(bells))
        return out


@dataclass(frozen=True, kw_only=True)
class InputTransforms:
    """What surrogates are shown in place of a point, and what becomes of the gradient there."""

    diversity: Diversity = Diversity()  # DI; by default none
    smoothing: Smoothing = Smoothing()  # TI; by default none
    scales: int = 1  # SI (Lin et al., ICLR 2020): copies, each of half the size; the paper's is 5

    def __post_init__(self) -> None:
        if self.scales < 1:
            raise UserError(f"There must be one scale or more, not {self.scales}.")

    def views(self, z: Batch, rng: Streams) -> Draws:
        """What a surrogate is shown in place of z (n, *shape): (scales, n, *shape)."""
        copies = torch.stack([z / 2**scale for scale in range(self.scales)])
        return self.diversity(copies, rng)
