"""What is to be explained: a number for each row, made of the model's outputs."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import torch
from jaxtyping import Bool
from torch import Tensor

from pellucid.errors import UserError
from pellucid.shapes import Labels, ScoreAnswer
from pellucid.spec import Spec


class Target(ABC):
    """A number a row, made of outputs: logits of a GradBox, log-probabilities of a ScoreBox."""

    @abstractmethod
    def __call__(self, outputs: ScoreAnswer) -> Tensor:
        """Of outputs (*probes, rows, K) the number that is explained: (*probes, rows)."""

    @abstractmethod
    def __getitem__(self, rows: Tensor) -> Self: ...

    @abstractmethod
    def check(self, spec: Spec, rows: int) -> None:
        """UserError unless the target speaks of so many rows of such a model's outputs."""


@dataclass(frozen=True, eq=False, repr=False)
class label(Target):
    """One output a row: y (n) says which."""

    y: Labels

    def __call__(self, outputs: ScoreAnswer) -> Tensor:
        """The output of y."""
        index = self.y.expand(outputs.shape[:-1])[..., None]
        return outputs.gather(-1, index)[..., 0]

    def __getitem__(self, rows: Tensor) -> "label":
        return label(self.y[rows])

    def check(self, spec: Spec, rows: int) -> None:
        """One output for each row, and the model has it."""
        if self.y.is_floating_point() or self.y.dtype == torch.bool or self.y.ndim != 1:
            raise UserError(
                f"The target label takes one whole number a row, not {tuple(self.y.shape)} of "
                f"{self.y.dtype}: give the number of an output, or a mask to labels(...)."
            )
        if len(self.y) != rows:
            raise UserError(f"The target has {len(self.y)} rows, but the input has {rows}.")
        bad = ((self.y < 0) | (self.y >= spec.answer.size)).nonzero()
        if len(bad):
            where = int(bad[0])
            raise UserError(
                f"The target names output {int(self.y[where])} in row {where}, but the model's "
                f"outputs run from 0 to {spec.answer.size - 1}: check the labels."
            )


@dataclass(frozen=True, eq=False, repr=False)
class labels(Target):
    """The sum of a set of outputs a row: mask (n, K) says which are in the set."""

    mask: Bool[Tensor, "n k"]

    def __call__(self, outputs: ScoreAnswer) -> Tensor:
        """The outputs of the set, summed."""
        return outputs.where(self.mask, 0).sum(-1)

    def __getitem__(self, rows: Tensor) -> "labels":
        return labels(self.mask[rows])

    def check(self, spec: Spec, rows: int) -> None:
        """One mark for each row and output, and no set is empty."""
        if self.mask.shape != (rows, spec.answer.size) or self.mask.dtype != torch.bool:
            raise UserError(
                f"The target's mask is {tuple(self.mask.shape)} of {self.mask.dtype}, but there "
                f"are {rows} rows and {spec.answer.size} outputs: give true or false for each."
            )
        if not bool(self.mask.any(1).all()):
            where = int((~self.mask.any(1)).nonzero()[0])
            raise UserError(f"The target's set in row {where} is empty: mark an output.")


@dataclass(frozen=True, eq=False)
class outputs(Target):
    """Any function of the outputs: (*probes, rows, K) to (*probes, rows), each row by itself."""

    function: Callable[[Tensor], Tensor]

    def __call__(self, outputs: ScoreAnswer) -> Tensor:
        """The function's value; UserError if it is not one number a row."""
        value = self.function(outputs)
        if value.shape != outputs.shape[:-1]:
            raise UserError(
                f"The target's function made {tuple(value.shape)} of outputs "
                f"{tuple(outputs.shape)}: it must leave out the last axis and no other."
            )
        return value

    def __getitem__(self, rows: Tensor) -> "outputs":
        return self

    def check(self, spec: Spec, rows: int) -> None:
        """Nothing can be said before the function is called."""
