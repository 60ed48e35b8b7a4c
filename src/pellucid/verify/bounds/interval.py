"""Interval bound propagation: bounds of each number of a graph from those of the numbers before."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from pellucid.onnx.graph import Graph
from pellucid.verify.bounds.propagation import Propagation, rule_of
from pellucid.verify.bounds.values import Interval

NOTHING: Mapping[str, Interval] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Bounds of a graph's answers, and of every value on the way."""

    low: Tensor  # (n, outputs), or (n, m) for m functions of the outputs
    high: Tensor
    values: Mapping[str, Interval]  # by the file's names; each (n, *shape in a run of one row)


def interval(
    graph: Graph, low: Tensor, high: Tensor, *, known: Mapping[str, Interval] = NOTHING
) -> Bounds:
    """Bounds of the outputs for all x with low <= x <= high, by interval arithmetic.

    Source: Gowal et al., ICCV 2019 (the middle and the radius through affine operators).

    Sound for exact arithmetic and for the graph as it runs in the type of its weights, in any
    order of summation: each operator's bounds are moved apart by what a sum of so many terms can
    be off by, which is the epsilon of the type times the terms times the sum of their absolute
    values (twice the classical bound: once for the graph's rounding, once for this one's).

    Args:
        graph: an imported graph, as `pellucid.onnx.graph.Graph.of(model)` makes it; export a torch
            module to ONNX first. In `to(torch.float64)` the margins are negligible.
        low: (n, *shape), in the model's own units, after any preprocessing outside the graph.
        high: (n, *shape).
        known: bounds of values that hold besides, by name: the values are met with them.

    Raises:
        NoBounds: an operator has no sound bound.
        UserError: the boxes do not fit the graph.
    """
    with torch.no_grad():
        state = Propagation(graph, low, high, known)
        for node, step in state.parts():
            use = state.use(node, step)
            made = rule_of(step).bound(use) if use.intervals else use.run()
            state.settle(node, made)
        return bounds_of(state, state.output())


def bounds_of(state: Propagation, output: Interval) -> Bounds:
    """What is handed out: the output's numbers in a row."""
    values = {n: value for n, value in state.values.items() if isinstance(value, Interval)}
    return Bounds(
        low=output.low.flatten(1),
        high=output.high.flatten(1),
        values=MappingProxyType(values),
    )
