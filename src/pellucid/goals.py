"""What counts as success, judged from a model's answer alone."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

import torch
import xxhash
from torch import Tensor

from pellucid.errors import UserError
from pellucid.rng import ids_of
from pellucid.shapes import Answer, LabelAnswer, Labels, ScoreAnswer, Verdict
from pellucid.spec import OneClass, Spec, finite


def answered(answer: Answer) -> Verdict:
    """Which rows have a usable answer: neither missing nor refused nor non-finite."""
    return finite(answer) if answer.is_floating_point() else answer >= 0


class Goal(ABC):
    """A predicate on answers, one row of it for each row asked about.

    A missing or non-finite answer meets no goal, not even a negated one.
    """

    @property
    def needs_scores(self) -> bool:
        """Whether labels are too little to judge by."""
        return False

    def __call__(self, answer: Answer) -> Verdict:
        """Whether each answer (*probes, rows, ...) meets the goal.

        Scores meet it by a positive margin: a tie made by rounding is no success.
        """
        met = self.margin(answer) > 0 if answer.is_floating_point() else self.met(answer)
        return met & answered(answer) if bool(met.any()) else met

    @abstractmethod
    def met(self, labels: LabelAnswer) -> Verdict:
        """The bare predicate on labels; meaningless where a label is missing."""

    @abstractmethod
    def margin(self, scores: ScoreAnswer) -> Tensor:
        """A differentiable number (*probes, rows), positive where met."""

    @abstractmethod
    def loss(self, logits: ScoreAnswer) -> Tensor:
        """The cross-entropy that grows towards the goal (*probes, rows); differentiable."""

    def digest(self) -> str:
        """A hash of the goal and its rows' labels."""
        parts = [
            value.digest() if isinstance(value, Goal) else "".join(ids_of(value))
            for value in vars(self).values()
        ]
        return xxhash.xxh3_128_hexdigest("/".join([type(self).__name__, *parts]).encode())

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, rows: Tensor) -> Self: ...

    @abstractmethod
    def check(self, spec: Spec) -> None:
        """Raise UserError unless the goal speaks of such a model's answers."""

    def __and__(self, other: "Goal") -> "Goal":
        return Both(self, other)

    def __or__(self, other: "Goal") -> "Goal":
        return ~(~self & ~other)

    def __invert__(self) -> "Goal":
        return Not(self)


def _check_classes(goal: Goal, classes: Tensor, spec: Spec, axes: int = 1) -> None:
    name = type(goal).__name__
    if not isinstance(spec.answer, OneClass):
        raise UserError(
            f"The goal {name} speaks of classes, but this model answers "
            f"{type(spec.answer).__name__}: choose a goal for such answers."
        )
    if classes.ndim != axes:
        raise UserError(f"The goal {name} takes {axes} axis of classes, not {classes.ndim}.")
    if classes.is_floating_point() or classes.dtype == torch.bool:
        raise UserError(f"The goal {name} takes whole numbers as classes, not {classes.dtype}.")
    bad = ((classes < 0) | (classes >= spec.answer.size)).nonzero()
    if len(bad):
        where, value = int(bad[0][0]), int(classes[tuple(bad[0])])
        raise UserError(
            f"The goal {name} names class {value} in row {where}, but the model's classes "
            f"run from 0 to {spec.answer.size - 1}: check the labels."
        )


def _pick(scores: ScoreAnswer, classes: Labels) -> Tensor:
    """The score of one class a row, (*probes, rows)."""
    index = classes.expand(scores.shape[:-1])[..., None]
    return scores.gather(-1, index)[..., 0]


def _best_other(scores: ScoreAnswer, classes: Labels) -> Tensor:
    """The best score of any other class, (*probes, rows)."""
    index = classes.expand(scores.shape[:-1])[..., None]
    return scores.scatter(-1, index, float("-inf")).amax(-1)


@dataclass(frozen=True, eq=False, repr=False)
class misled(Goal):
    """The model says anything but y."""

    y: Labels

    def met(self, labels: LabelAnswer) -> Verdict:
        """Whether the class named is not y."""
        return labels != self.y

    def margin(self, scores: ScoreAnswer) -> Tensor:
        """The best other score less y's."""
        return _best_other(scores, self.y) - _pick(scores, self.y)

    def loss(self, logits: ScoreAnswer) -> Tensor:
        """The cross-entropy of y."""
        return -_pick(logits.log_softmax(-1), self.y)

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, rows: Tensor) -> "misled":
        return misled(self.y[rows])

    def check(self, spec: Spec) -> None:
        """Every label is one of the model's classes."""
        _check_classes(self, self.y, spec)


@dataclass(frozen=True, eq=False, repr=False)
class hit(Goal):
    """The model says t."""

    t: Labels

    def met(self, labels: LabelAnswer) -> Verdict:
        """Whether the class named is t."""
        return labels == self.t

    def margin(self, scores: ScoreAnswer) -> Tensor:
        """The score of t less the best other."""
        return _pick(scores, self.t) - _best_other(scores, self.t)

    def loss(self, logits: ScoreAnswer) -> Tensor:
        """Less the cross-entropy of t."""
        return _pick(logits.log_softmax(-1), self.t)

    def __len__(self) -> int:
        return len(self.t)

    def __getitem__(self, rows: Tensor) -> "hit":
        return hit(self.t[rows])

    def check(self, spec: Spec) -> None:
        """Every target is one of the model's classes."""
        _check_classes(self, self.t, spec)


@dataclass(frozen=True, eq=False, repr=False)
class ordered_topk(Goal):
    """The model's K best classes are t (rows, K), in this order."""

    t: Tensor

    @property
    def needs_scores(self) -> bool:
        """An order is not seen in labels."""
        return True

    def met(self, labels: LabelAnswer) -> Verdict:
        """An order is not seen in labels: UserError."""
        raise UserError(f"ordered_topk needs scores, not {len(labels)} labels: ask for scores.")

    def margin(self, scores: ScoreAnswer) -> Tensor:
        """The smallest step down the wanted order."""
        index = self.t.expand(*scores.shape[:-1], self.t.shape[-1])
        ranked = scores.gather(-1, index)
        rest = scores.scatter(-1, index, float("-inf")).amax(-1, keepdim=True)
        return -torch.cat([ranked, rest], -1).diff(dim=-1).amax(-1)

    def loss(self, logits: ScoreAnswer) -> Tensor:
        """Less the cross-entropy of drawing the order without replacement (Plackett-Luce)."""
        index = self.t.expand(*logits.shape[:-1], self.t.shape[-1])
        total = torch.zeros_like(logits[..., 0])
        for place in index.unbind(-1):
            total = total + logits.log_softmax(-1).gather(-1, place[..., None])[..., 0]
            logits = logits.scatter(-1, place[..., None], float("-inf"))
        return total

    def __len__(self) -> int:
        return len(self.t)

    def __getitem__(self, rows: Tensor) -> "ordered_topk":
        return ordered_topk(self.t[rows])

    def check(self, spec: Spec) -> None:
        """Every target is one of the model's classes, and none stands twice in a row."""
        if self.t.ndim != 2 or bool((self.t.sort(-1).values.diff(dim=-1) == 0).any()):
            raise UserError("ordered_topk takes classes (rows, K), no class twice in a row.")
        _check_classes(self, self.t, spec, axes=2)


@dataclass(frozen=True, eq=False, repr=False)
class Both(Goal):
    """Two goals at once."""

    a: Goal
    b: Goal

    def __post_init__(self) -> None:
        if len(self.a) != len(self.b):
            raise UserError(
                f"Goals can be joined when they have the same rows, "
                f"but one has {len(self.a)} and the other {len(self.b)}."
            )

    @property
    def needs_scores(self) -> bool:
        """Whether labels are too little for either."""
        return self.a.needs_scores or self.b.needs_scores

    def met(self, labels: LabelAnswer) -> Verdict:
        """Whether both are met."""
        return self.a.met(labels) & self.b.met(labels)

    def margin(self, scores: ScoreAnswer) -> Tensor:
        """The smaller margin."""
        return torch.minimum(self.a.margin(scores), self.b.margin(scores))

    def loss(self, logits: ScoreAnswer) -> Tensor:
        """The loss of whichever goal is farther."""
        nearer = self.a.margin(logits) > self.b.margin(logits)
        return torch.where(nearer, self.b.loss(logits), self.a.loss(logits))

    def __len__(self) -> int:
        return len(self.a)

    def __getitem__(self, rows: Tensor) -> "Both":
        return Both(self.a[rows], self.b[rows])

    def check(self, spec: Spec) -> None:
        """Both fit."""
        self.a.check(spec)
        self.b.check(spec)


@dataclass(frozen=True, eq=False, repr=False)
class Not(Goal):
    """The opposite of a goal, on usable answers."""

    a: Goal

    @property
    def needs_scores(self) -> bool:
        """As the goal negated."""
        return self.a.needs_scores

    def met(self, labels: LabelAnswer) -> Verdict:
        """Whether the goal is not met."""
        return ~self.a.met(labels)

    def margin(self, scores: ScoreAnswer) -> Tensor:
        """The margin turned round."""
        return -self.a.margin(scores)

    def loss(self, logits: ScoreAnswer) -> Tensor:
        """The loss turned round."""
        return -self.a.loss(logits)

    def __len__(self) -> int:
        return len(self.a)

    def __getitem__(self, rows: Tensor) -> "Not":
        return Not(self.a[rows])

    def check(self, spec: Spec) -> None:
        """As the goal negated."""
        self.a.check(spec)
