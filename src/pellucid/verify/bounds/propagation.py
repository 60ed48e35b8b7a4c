"""Boxes on their way through a graph: the node at hand, and the bounds of every value so far."""

from collections.abc import Iterator, Mapping

from torch import Tensor

from pellucid.errors import UserError
from pellucid.onnx.graph import Graph, Node
from pellucid.onnx.step import Step
from pellucid.verify.bounds.rule import Rule
from pellucid.verify.bounds.table import RULES
from pellucid.verify.bounds.values import Argument, Interval, Made, NoBounds, Use


class Propagation:
    """The bounds of the values of a graph, in the order in which its nodes run.

    Every value has the shape that a run of a single row gives it, behind an axis of rows: where
    an operator puts its rows does not matter, and no row can meet another.
    """

    def __init__(
        self, graph: Graph, low: Tensor, high: Tensor, known: Mapping[str, Interval]
    ) -> None:
        """Boxes low <= x <= high, each (n, *shape), and what is known of values besides."""
        _check(graph, low, high)
        self.graph, self.known, self.n = graph, known, len(low)
        one = (lambda x: x) if graph.ports.rowless else (lambda x: x[:, None])
        box = Interval(low=one(low), high=one(high))
        self.values: dict[str, Interval | Tensor] = {}
        self.put(graph.ports.input, box)

    def parts(self) -> Iterator[tuple[Node, Step]]:
        """The nodes and their steps."""
        for node in self.graph.nodes:
            step = self.graph.get_submodule(node.name)
            assert isinstance(step, Step)
            yield node, step

    def use(self, node: Node, step: Step) -> Use:
        """A node with what is known of its inputs now."""
        constants = step.constants()
        given: list[Argument] = [constants.get(place) for place in range(len(step.fixed))]
        for place, name in zip(step.arriving, node.arriving, strict=True):
            value = self.values[name]
            given[place] = _listed(step, value) if place in step.read else value
        return Use(step=step, given=tuple(given))

    def put(self, name: str, value: Interval | Tensor) -> None:
        """Keep what was found of a value, with what is known of it besides."""
        if name in self.known and isinstance(value, Interval):
            value = value.meet(self.known[name])
        self.values[name] = value

    def settle(self, node: Node, made: Made) -> tuple[Interval, ...]:
        """Keep the outputs of a node; their intervals as they stand then."""
        for name, value in zip(node.outputs, made, strict=False):
            self.put(name, value)
        found = (self.values[name] for name in node.outputs)
        return tuple(value for value in found if isinstance(value, Interval))

    def output(self) -> Interval:
        """The bounds of what is read."""
        found = self.values[self.graph.ports.output]
        if isinstance(found, Interval):
            return found
        every = found.expand(self.n, *found.shape)
        return Interval(low=every, high=every)


def _listed(step: Step, value: Interval | Tensor) -> list[int] | list[float]:
    """What an operator reads as numbers, which no row may change."""
    if isinstance(value, Interval):
        raise NoBounds(step.operator, "where its sizes change with the rows")
    return value.flatten().tolist()


def rule_of(step: Step) -> Rule:
    """The rule of an operator; `NoBounds` if there is none."""
    if step.operator not in RULES:
        raise NoBounds(step.operator)
    return RULES[step.operator]


def _check(graph: Graph, low: Tensor, high: Tensor) -> None:
    ports = graph.ports
    if graph.one_by_one and ports.batch not in (None, 1):
        raise UserError(
            f"The graph is made for runs of {ports.batch} rows that may meet, so that no row has "
            "bounds of its own: export the model for one row, or for any number."
        )
    sizes = zip(low.shape[1:], ports.shape, strict=False)
    fits = low.ndim == 1 + len(ports.shape) and all(due in (None, got) for got, due in sizes)
    if not len(low) or low.shape != high.shape or not fits:
        raise UserError(
            "The boxes must be two tensors of one row or more, of shape "
            f"(n, {', '.join(map(str, ports.shape))}), but they are {tuple(low.shape)} and "
            f"{tuple(high.shape)}."
        )
    if not bool((low <= high).all() & low.isfinite().all() & high.isfinite().all()):
        raise UserError("The boxes must be finite, with no lower end above its upper end.")
    types = {low.dtype, high.dtype, *(w.dtype for w in graph.parameters())}
    if len(types) > 1 or not low.is_floating_point():
        raise UserError(
            "The boxes and the graph's weights must be floats of one type, but are of "
            f"{' and '.join(sorted(map(str, types)))}: use graph.to(torch.float64)."
        )
