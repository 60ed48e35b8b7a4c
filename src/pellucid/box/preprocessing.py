"""What is done to an input, in the user's units, before the model sees it."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from pellucid.errors import UserError

Layout = Literal["chw", "hwc"]
DType = Literal[
    "float16",
    "float32",
    "float64",
    "uint8",
    "int8",
    "uint16",
    "int16",
    "uint32",
    "int32",
    "uint64",
    "int64",
]
TORCH: dict[DType, torch.dtype] = {
    "float16": torch.float16,
    "float32": torch.float32,
    "float64": torch.float64,
    "uint8": torch.uint8,
    "int8": torch.int8,
    "uint16": torch.uint16,
    "int16": torch.int16,
    "uint32": torch.uint32,
    "int32": torch.int32,
    "uint64": torch.uint64,
    "int64": torch.int64,
}


def dtype_called(name: str) -> DType | None:
    """The type of this name, which is numpy's and torch's; None if no model is given such."""
    return next((known for known in TORCH if known == name), None)


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """Mean and std, the order of axes, and the type of number that the model wants."""

    mean: tuple[float, ...] = (0.0,)  # one, or one a channel
    std: tuple[float, ...] = (1.0,)  # one, or one a channel
    layout: Layout = "chw"  # the order of axes that the model wants
    dtype: DType | None = None  # None: the type it is given in

    def __post_init__(self) -> None:
        if not self.mean or not self.std or min(self.std) <= 0:
            raise UserError(
                "Mean and std take one number, or one a channel, and each std must be positive: "
                f"they are {self.mean} and {self.std}."
            )

    @property
    def rounds(self) -> bool:
        """Whether the model is given whole numbers, through which no gradient flows."""
        return self.dtype is not None and not TORCH[self.dtype].is_floating_point

    def __call__(self, x: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Normalise, lay out and convert x (n, *shape); differentiable unless it `rounds`."""
        for name, numbers in (("mean", self.mean), ("std", self.std)):
            if len(numbers) not in (1, shape[0]):
                raise UserError(
                    f"The {name} has {len(numbers)} numbers, but the input has {shape[0]} "
                    "channels: give one number, or one a channel."
                )
        if (self.mean, self.std) != ((0.0,), (1.0,)):
            ones = [1] * (len(shape) - 1)
            mean, std = x.new_tensor(self.mean), x.new_tensor(self.std)
            x = (x - mean.reshape(-1, *ones)) / std.reshape(-1, *ones)
        if self.layout == "hwc":
            x = x.movedim(1, -1)
        if self.dtype is None:
            return x
        return (x.round() if self.rounds else x).to(TORCH[self.dtype])
