"""CROWN: linear bounds of a graph's outputs, propagated backwards to the boxes."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from pellucid.errors import UserError
from pellucid.onnx.graph import Graph, Node
from pellucid.verify.bounds.interval import NOTHING, Bounds, bounds_of, interval
from pellucid.verify.bounds.links import Link, dot, least
from pellucid.verify.bounds.propagation import Propagation, rule_of
from pellucid.verify.bounds.rule import ROUNDINGS, eps
from pellucid.verify.bounds.table import ONE_SIGN
from pellucid.verify.bounds.values import Interval

CELLS = 2**25  # numbers of coefficients that are held at a time


def crown(
    graph: Graph,
    low: Tensor,
    high: Tensor,
    functions: Tensor | None = None,
    *,
    known: Mapping[str, Interval] = NOTHING,
) -> Bounds:
    """Bounds of the outputs, or of linear functions of them, for all x with low <= x <= high.

    Every operator that is not affine gets lines below and above it, from bounds of its inputs that
    are themselves found by going back to the boxes; where it has no lines, its own interval is
    used. Never looser than `interval`, with which all bounds are met.

    Source: Zhang et al., NeurIPS 2018 (with the adaptive slope below a ReLU); Xu et al., NeurIPS
    2020, for general graphs.
    Differs: each bound found on the way is met with interval arithmetic. Rounding is accounted
    for, as in `interval`: a linear function's coefficients are taken as they are in the machine,
    and what they are off by is at most the terms times epsilon times the absolute coefficients
    applied to the absolute terms of the operator, which is taken from the bound.

    Args:
        graph: an imported graph; see `interval`.
        low: (n, *shape), in the model's own units.
        high: (n, *shape).
        functions: (m, outputs) for all rows or (n, m, outputs); None: each output. For margins of
            a class over the others see `pellucid.verify.bounds.margins.margins`.
        known: bounds of values that hold besides, by name, such as the split of a ReLU's input.

    Raises:
        NoBounds: an operator has no sound bound.
        UserError: the boxes or the functions do not fit the graph.
    """
    with torch.no_grad():
        plain = interval(graph, low, high, known=known)
        state = Propagation(graph, low, high, plain.values)
        back = Backward(state)
        for node, step in state.parts():
            use = state.use(node, step)
            if not use.intervals:
                state.settle(node, use.run())
                continue
            rule = rule_of(step)
            if not rule.affine(use):
                back.tighten(node)
                use = state.use(node, step)
            back.links[node.name] = rule.relax(use, state.settle(node, rule.bound(use)))
        return _outputs(state, back, functions)


def _outputs(state: Propagation, back: "Backward", functions: Tensor | None) -> Bounds:
    name, output = state.graph.ports.output, state.output()
    if functions is None:
        back.tighten_value(name, torch.ones_like(output.low, dtype=torch.bool))
        return bounds_of(state, state.output())
    size = output.low[0].numel()
    wanted = functions if functions.ndim == 3 else functions[None]
    if wanted.ndim != 3 or wanted.shape[-1] != size or len(wanted) not in (1, state.n):
        raise UserError(
            f"The functions must be of shape (m, {size}) or ({state.n}, m, {size}), but are "
            f"{tuple(functions.shape)}."
        )
    coefficients = wanted.to(output.low).unflatten(-1, output.low.shape[1:])
    low, high = (back.least_of_all(name, sign * coefficients) for sign in (1, -1))
    return Bounds(low=low, high=-high, values=bounds_of(state, output).values)


class Backward:
    """The way back from a value to the boxes, through the links that were made so far."""

    def __init__(self, state: Propagation) -> None:
        """With no links yet."""
        self.state = state
        self.links: dict[str, Link] = {}
        self._tight = {state.graph.ports.input}

    def tighten(self, node: Node) -> None:
        """Bound the inputs of a node once more, from the boxes."""
        for name in node.arriving:
            value = self.state.values[name]
            if isinstance(value, Interval):
                mixed = (value.low < 0) & (value.high > 0)
                every = torch.ones_like(mixed)
                self.tighten_value(name, mixed if node.operator in ONE_SIGN else every)

    def tighten_value(self, name: str, wanted: Tensor) -> None:
        """Bound those numbers of a value once more that are wanted: (n, *shape)."""
        value = self.state.values[name]
        if name in self._tight or not isinstance(value, Interval):
            return
        self._tight.add(name)
        size, shape = value.low[0].numel(), value.low.shape
        places = wanted.flatten(1).any(0).nonzero()[:, 0]
        low, high = value.low.flatten(1).clone(), value.high.flatten(1).clone()
        for part in places.split(self._block()):
            chosen = functional.one_hot(part, size).to(low)[None]
            chosen = chosen.reshape(1, len(part), *shape[1:])
            low[:, part] = self.least(name, chosen)
            high[:, part] = -self.least(name, -chosen)
        found = Interval(low=low.reshape(shape), high=high.reshape(shape)).meet(value)
        self.state.put(
            name,
            Interval(
                low=torch.where(wanted, found.low, value.low),
                high=torch.where(wanted, found.high, value.high),
            ),
        )

    def _block(self) -> int:
        """How many functions go back at a time."""
        values = self.state.values.values()
        widest = max(v.low[0].numel() for v in values if isinstance(v, Interval))
        return max(1, CELLS // (self.state.n * max(widest, 1)))

    def least_of_all(self, name: str, coefficients: Tensor) -> Tensor:
        """The better of going back to the boxes, and of the value's own bounds."""
        direct = least(coefficients, self._interval(name))
        rounding = self._error(1, coefficients, self._interval(name).size)
        parts = coefficients.split(self._block(), 1)
        far = torch.cat([self.least(name, part) for part in parts], 1)
        return torch.maximum(far, (direct - rounding).nan_to_num(nan=-torch.inf))

    def least(self, name: str, coefficients: Tensor) -> Tensor:
        """Lower bounds of linear functions (r, m, *shape) of a value: (n, m)."""
        state, entry = self.state, self.state.graph.ports.input
        waiting = {name: coefficients}
        total = coefficients.new_zeros(state.n, coefficients.shape[1])
        for node in reversed(state.graph.nodes):
            if node.name not in self.links or not waiting.keys() & set(node.outputs):
                continue
            link = self.links[node.name]
            arrived = self._arrived(node, waiting)
            found, added = link.back(arrived)
            total = total + added
            for a, scale in zip(arrived, link.scale, strict=True):
                total = total - self._error(link.terms, a, scale)
            for place, more in found.items():
                total = total - self._join(waiting, node.inputs[place], more)
        if entry in waiting:
            total = total + self._at_boxes(waiting.pop(entry), self._interval(entry))
        return total.nan_to_num(nan=-torch.inf)

    def _at_boxes(self, coefficients: Tensor, box: Interval) -> Tensor:
        """The least that linear functions take on the boxes: (n, m)."""
        wide = box.radius + self._unit(1, box.size) * box.size
        return dot(coefficients, box.middle) - dot(coefficients.abs(), wide)

    def _arrived(self, node: Node, waiting: dict[str, Tensor]) -> tuple[Tensor, ...]:
        """The coefficients of a node's outputs, zero for what nothing read."""
        given = [waiting.pop(out, None) for out in node.outputs]
        rows, m = max(a.shape[:2] for a in given if a is not None)
        filled = []
        for a, name in zip(given, node.outputs, strict=True):
            value = self._interval(name)
            whole = (rows, m, *value.low.shape[1:])
            filled.append(value.low.new_zeros(whole) if a is None else a.expand(whole))
        return tuple(filled)

    def _interval(self, name: str) -> Interval:
        value = self.state.values[name]
        assert isinstance(value, Interval)  # coefficients go where rows differ
        return value

    def _join(self, waiting: dict[str, Tensor], name: str, more: Tensor) -> Tensor | float:
        """Add coefficients of a value to those it has; what the sum may be off by."""
        if name not in waiting:
            waiting[name] = more
            return 0.0
        waiting[name] = waiting[name] + more
        return self._error(1, waiting[name], self._interval(name).size)

    def _error(self, terms: int, coefficients: Tensor, scale: Tensor) -> Tensor:
        """What one node on the way may be off by: (n, m)."""
        return self._unit(terms, scale) * dot(coefficients.abs(), scale)

    def _unit(self, terms: int, scale: Tensor) -> float:
        """What this is relative to the sum of the absolute terms."""
        added = terms + scale[0].numel() + len(self.state.graph.nodes) + 2 * ROUNDINGS
        return added * eps(scale)
