"""A decoder that any images have: their mean and the directions in which they vary most."""

from dataclasses import dataclass
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import UserError
from pellucid.shapes import Batch

Latents = Float[Tensor, "k d"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Principal:
    """Principal components, scaled so that standard normal latents look like the images."""

    mean: Tensor  # (numbers of an image)
    directions: Tensor  # (d, numbers of an image)
    shape: tuple[int, ...]  # of an image

    @classmethod
    def of(cls, images: Batch, components: int) -> Self:
        """The first components of some images, or as many as these have.

        Raises:
            UserError: they have fewer than two, in which nothing evolves.
        """
        flat = images.double().flatten(1)
        mean = flat.mean(0)
        _, spread, directions = torch.linalg.svd(flat - mean, full_matrices=False)
        count = min(components, len(images) - 1, flat.shape[1])
        if count < 2:
            raise UserError(
                f"{len(images)} images have {count} principal components: give three or more "
                "different images, and ask for two components at least."
            )
        scale = spread[:count] / (len(images) - 1) ** 0.5
        return cls(
            mean=mean, directions=scale[:, None] * directions[:count], shape=tuple(images.shape[1:])
        )

    def __len__(self) -> int:
        """How many numbers a latent has."""
        return len(self.directions)

    def __call__(self, latents: Latents) -> Batch:
        """Images (k, *shape) in float64; their values may leave the bounds of the data."""
        return (self.mean + latents.double() @ self.directions).reshape(-1, *self.shape)
