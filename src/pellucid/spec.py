"""What a question to a model is, and what its answer means."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn import functional

from pellucid.errors import UserError
from pellucid.rows import Masked, Ragged, Rows
from pellucid.shapes import Answer, LabelAnswer, ScoreAnswer, Verdict

NO_ANSWER = -1  # the label of a row that could not pay, is finished, or was refused by a guard
INVALID = -2  # the label of a row whose answer was not finite


class BadQuestion(UserError):
    """A question that the spec does not allow."""


# --- what goes in ----------------------------------------------------------------------------


@runtime_checkable
class Input(Protocol):
    """One kind of thing that a model is asked about."""

    def lead(self, x: Rows) -> torch.Size:
        """The axes (*probes, rows) of a question; BadQuestion if it is of another kind."""
        ...


def _dense_lead(kind: str, x: Rows, shape: tuple[int, ...]) -> torch.Size:
    given = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
    if not isinstance(x, Tensor) or x.ndim <= len(shape) or x.shape[-len(shape) :] != shape:
        raise BadQuestion(
            f"This model takes {kind} of shape (rows, {', '.join(map(str, shape))}), "
            f"but the input is {given}: reshape it, or open the model with the right shape."
        )
    return x.shape[: x.ndim - len(shape)]


def _check_bounds(low: float, high: float, shape: tuple[int, ...]) -> None:
    if not low < high:
        raise UserError(f"The bounds must rise, but low is {low} and high is {high}.")
    if not shape or min(shape) < 1:
        raise UserError(f"The shape of an input must hold positive sizes, but it is {shape}.")


@dataclass(frozen=True, kw_only=True)
class Image:
    """Images: channels, height, width, with values between two bounds in the user's units."""

    shape: tuple[int, int, int]
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        _check_bounds(self.low, self.high, self.shape)

    def lead(self, x: Rows) -> torch.Size:
        """The axes (*probes, rows) of a question."""
        return _dense_lead("images", x, self.shape)


@dataclass(frozen=True, kw_only=True)
class Vector:
    """Plain arrays of numbers of any shape; bounds may be infinite."""

    shape: tuple[int, ...]
    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        _check_bounds(self.low, self.high, self.shape)

    def lead(self, x: Rows) -> torch.Size:
        """The axes (*probes, rows) of a question."""
        return _dense_lead("vectors", x, self.shape)


Dense = Image | Vector  # inputs that a ball can be drawn around


@dataclass(frozen=True, kw_only=True)
class Points:
    """Sets of points, any number of them a row."""

    features: int = 3  # numbers a point

    def lead(self, x: Rows) -> torch.Size:
        """The axes (*probes, rows) of a question."""
        if not isinstance(x, Ragged) or x.values.shape[1:] != (self.features,):
            raise BadQuestion(
                f"This model takes sets of points with {self.features} numbers each: "
                "pass Ragged(values, lengths)."
            )
        return x.lead


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Token sequences with a mask of the places that count."""

    vocabulary: int  # token ids run from 0 to vocabulary - 1

    def lead(self, x: Rows) -> torch.Size:
        """The axes (*probes, rows) of a question."""
        if not isinstance(x, Masked) or x.tokens.shape != x.mask.shape:
            raise BadQuestion(
                "This model takes token sequences: pass Masked(tokens, mask), both of one shape."
            )
        return x.lead


# --- what comes out --------------------------------------------------------------------------


@runtime_checkable
class Meaning(Protocol):
    """How the raw outputs of a model, (*, size), are to be read."""

    @property
    def size(self) -> int:
        """How many numbers the model puts out a row."""
        ...

    def labels(self, logits: ScoreAnswer) -> LabelAnswer:
        """What the model decides; INVALID where an output is not finite."""
        ...

    def scores(self, logits: ScoreAnswer) -> ScoreAnswer:
        """Log-probabilities (or raw values)."""
        ...


def finite(outputs: ScoreAnswer) -> Verdict:
    """Which rows have nothing but finite outputs."""
    return outputs.isfinite().all(-1)


@dataclass(frozen=True, kw_only=True)
class OneClass:
    """One of several classes."""

    size: int  # classes

    def labels(self, logits: ScoreAnswer) -> LabelAnswer:
        """The top class."""
        return logits.argmax(-1).masked_fill(~finite(logits), INVALID)

    def scores(self, logits: ScoreAnswer) -> ScoreAnswer:
        """Log-softmax: margins survive where probabilities saturate."""
        return logits.log_softmax(-1)


@dataclass(frozen=True, kw_only=True)
class LabelSet:
    """Any set of labels; each output decides for itself."""

    size: int  # labels

    def labels(self, logits: ScoreAnswer) -> LabelAnswer:
        """One 0 or 1 a label, on a last axis of its own."""
        return (logits > 0).long().masked_fill(~finite(logits)[..., None], INVALID)

    def scores(self, logits: ScoreAnswer) -> ScoreAnswer:
        """Log-sigmoid of each label."""
        return functional.logsigmoid(logits)


@dataclass(frozen=True, kw_only=True)
class Values:
    """Raw outputs that stay as they are: regressors, controllers, verification."""

    size: int  # outputs

    def labels(self, logits: ScoreAnswer) -> LabelAnswer:
        """Values have no labels: BadQuestion."""
        raise BadQuestion(
            f"This model answers {logits.shape[-1]} raw values, not labels: ask for its scores, "
            "or open it with emits='logits' if it is a classifier."
        )

    def scores(self, logits: ScoreAnswer) -> ScoreAnswer:
        """The values themselves."""
        return logits


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What may be asked, what comes back, and how many rows one call carries at most."""

    input: Input
    answer: Meaning
    rows_per_call: int = 1000
    calls_at_once: int = field(default=1, repr=False, compare=False)  # a matter of speed alone

    @property
    def rows_at_once(self) -> int:
        """How many rows may be under way together."""
        return self.rows_per_call * self.calls_at_once

    def dense(self) -> Dense:
        """The input, if a ball can be drawn around it; BadQuestion otherwise."""
        if not isinstance(self.input, Dense):
            raise BadQuestion(
                f"This needs images or vectors, but the model takes {type(self.input).__name__}: "
                "choose a method for that kind of input."
            )
        return self.input

    def clamp(self, x: Tensor) -> Tensor:
        """The nearest allowed input (any leading axes)."""
        dense = self.dense()
        return x.clamp(dense.low, dense.high)

    def inside(self, x: Tensor) -> Verdict:
        """Which inputs (*lead, *shape) are finite and within the bounds."""
        dense = self.dense()
        allowed = x.isfinite() & (x >= dense.low) & (x <= dense.high)
        return allowed.flatten(-len(dense.shape)).all(-1)

    def no_answer(self, like: Answer, lead: Sequence[int]) -> Answer:
        """What rows get that are not answered, in the form of the answers `like`."""
        blank = float("nan") if like.is_floating_point() else NO_ANSWER
        return like.new_full((*lead, *like.shape[1:]), blank)
