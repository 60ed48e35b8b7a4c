"""Proofs by CROWN bounds over the regions, which are halved until every part is decided."""

from collections.abc import Generator, Iterator
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.box.protocols import WhiteBox
from pellucid.box.views import WhiteView
from pellucid.errors import UserError
from pellucid.onnx.graph import Graph
from pellucid.onnx.ports import quoted
from pellucid.verify.bounds.crown import crown
from pellucid.verify.bounds.interval import Bounds
from pellucid.verify.bounds.values import NoBounds
from pellucid.verify.properties.instance import Instance
from pellucid.verify.properties.property import Case
from pellucid.verify.properties.unsafe import UnsafeSet
from pellucid.verify.properties.verdict import Counterexample, Verdict

ROUNDINGS = 4  # of a constraint's numbers, on their way here from the decimals of a file


@dataclass(frozen=True, kw_only=True)
class Bisect:
    """Excludes every polytope from boxes of inputs, which are halved as long as that fails.

    A polytope is excluded from a box if one of its constraints cannot be met there: its least
    value is above its bound. Computed in float64, with all rounding accounted for. What cannot be
    excluded is halved where the box is wide and the margin steep at its middle, which is asked
    for and may turn out to be a counterexample.

    Source: bounds by Zhang et al., NeurIPS 2018; halving inputs by Wang et al., USENIX Security
    2018 (ReluVal).
    Needs: WhiteBox, of an ONNX graph.
    Cost: a question and a gradient a box; without them, boxes are halved where they are widest.
    """

    batch: int = 256  # boxes bounded at once
    most_inputs: int = 16  # inputs that are not fixed, above which no box is halved
    width: float = 0.1  # added to slopes, of the steepest: none may be left out for ever

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise UserError("Bisect bounds at least one box at once: raise its batch.")

    @property
    def access(self) -> type:
        """The network itself."""
        return WhiteBox

    def __call__(self, instance: Instance, _seed: int, /) -> Iterator[Verdict]:
        """Yield what is known after each batch of boxes."""
        assert isinstance(instance.box, WhiteView)
        graph = instance.box.module
        if not isinstance(graph, Graph):
            yield _unknown("there are bounds for ONNX graphs alone")
            return
        if graph.one_by_one and graph.ports.batch not in (None, 1):
            yield _unknown("the graph is made for several rows that may meet")
            return
        exact = deepcopy(graph).to(torch.float64)
        try:
            for case in instance.property.cases:
                if not (yield from self._closed(instance, exact, case)):
                    return
        except NoBounds as error:
            yield _unknown(f"there are no bounds for the operator {quoted(error.operator)}")
            return
        yield Verdict(answer="holds")

    def _closed(
        self, instance: Instance, graph: Graph, case: Case
    ) -> Generator[Verdict, None, bool]:
        """Whether all boxes of a region could be closed; yields after each batch."""
        shape, region = instance.box.spec.dense().shape, case.region.widened()
        free = int((case.region.low < case.region.high).sum())
        boxes = torch.stack([region.low, region.high], -1)[None]  # (boxes, inputs, 2)
        while len(boxes):
            rest, part = boxes[: -self.batch], boxes[-self.batch :]
            low, high = (end.reshape(-1, *shape) for end in part.unbind(-1))
            bounds = crown(graph, low, high, case.unsafe.functions)
            part = part[~_excluded(bounds, graph.ports.output, case.unsafe)]
            if len(part) and free > self.most_inputs:
                yield _unknown(f"the bounds do not suffice, with {free} inputs too many to halve")
                return False
            slopes, found = _middles(instance, part, case.unsafe)
            if found is not None:
                yield Verdict(answer="violated", counterexample=found)
                return False
            halves = _halves(part, slopes + self.width)
            if halves is None:
                yield _unknown("the bounds do not suffice even at a single point")
                return False
            boxes = torch.cat([rest, halves])
            yield _unknown(f"{len(boxes)} boxes were left")
        return True


def _unknown(reason: str) -> Verdict:
    return Verdict(answer="unknown", reason=reason)


def _excluded(bounds: Bounds, output: str, unsafe: UnsafeSet) -> Tensor:
    """Which boxes (n,) no polytope has a share in."""
    largest = bounds.values[output].size.flatten(1)
    terms = unsafe.bounds.abs() + largest @ unsafe.functions.abs().T
    rounding = ROUNDINGS * torch.finfo(torch.float64).eps * terms
    above = bounds.low > unsafe.bounds + rounding  # (n, constraints)
    polytopes = above.new_zeros(len(above), len(unsafe.polytopes), dtype=torch.long)
    return (polytopes.index_add(1, unsafe.owners, above.long()) > 0).all(1)


def _middles(
    instance: Instance, boxes: Tensor, unsafe: UnsafeSet
) -> tuple[Tensor, Counterexample | None]:
    """How steep the margin is at the middle of boxes (n, inputs, 2), and whether one violates.

    Slopes (n, inputs) are shares of the steepest; all zero where nothing can be asked.
    """
    slopes = torch.zeros_like(boxes[..., 0])
    if not len(boxes) or instance.left < len(boxes):
        return slopes, None
    assert isinstance(instance.box, WhiteView)
    middle = boxes.mean(-1).to(instance.dtype).requires_grad_()
    shape = instance.box.spec.dense().shape
    margin = unsafe.margin(instance.box.logits(middle.reshape(-1, *shape)))
    steep = torch.autograd.grad(margin.sum(), middle)[0].abs().nan_to_num().to(slopes)
    best = int(margin.detach().argmax())
    hopeful = float(margin[best].detach()) >= 0
    found = instance.replayed(middle[best].detach()) if hopeful else None
    return steep / steep.amax(1, keepdim=True).clamp_min(torch.finfo(steep.dtype).tiny), found


def _halves(boxes: Tensor, weights: Tensor) -> Tensor | None:
    """Both halves of each box (n, inputs, 2); None if one cannot be halved.

    The side that is halved is the one with the largest product of width and weight (n, inputs).
    """
    low, high = boxes.unbind(-1)
    side = ((high - low) * weights).argmax(1, keepdim=True)
    middle = (low + (high - low) / 2).gather(1, side)
    if bool(((middle <= low.gather(1, side)) | (middle >= high.gather(1, side))).any()):
        return None
    first = torch.stack([low, high.scatter(1, side, middle)], -1)
    second = torch.stack([low.scatter(1, side, middle), high], -1)
    return torch.cat([first, second])
