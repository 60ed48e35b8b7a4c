"""An ONNX graph as a differentiable torch module."""

import numpy as np
import torch
from jaxtyping import Shaped
from onnx import ModelProto
from torch import Tensor, nn

from pellucid.onnx.assembly import Node, assemble
from pellucid.onnx.operators.call import UnknownOperator
from pellucid.onnx.ports import BadGraph, Ports, ports

__all__ = ["Graph", "Node", "UnknownOperator"]


class Graph(nn.Module):
    """The nodes of an ONNX graph as submodules, which compute in the types that the file has.

    `nodes` walks them in the order in which they run: each says its operator, the values that it
    reads and makes, and the name of the submodule that computes it and holds its constants. Floats
    that the file stores are parameters, so `to(torch.float64)` moves the whole computation.

    Rows go through together. A file that is made for a fixed number of rows is lifted: where it
    reshapes to this number of rows, it now does to as many as there are. Where that is not what
    the graph means, `one_by_one` sends each row (or each set of as many rows as the file is made
    for) through by itself, by torch.vmap.
    """

    def __init__(self, model: ModelProto, found: Ports, *, one_by_one: bool) -> None:
        """The graph of a model between two ports; `Graph.of` finds the ports."""
        super().__init__()
        self.ports = found
        self.one_by_one = one_by_one or found.rowless
        self.nodes: tuple[Node, ...] = ()
        rows = None if self.one_by_one else found.batch
        taken = set(dir(self))  # what a module has already cannot be the name of a part
        parts = list(assemble(model, found, taken, rows))
        for node, step in parts:
            self.add_module(node.name, step)
        self.nodes = tuple(node for node, _ in parts)
        self._finished = _finished(self.nodes, found.output)

    @classmethod
    def of(cls, model: ModelProto, output: str | None = None, one_by_one: bool = False) -> "Graph":
        """The part of a model that leads from its input to the output of this name.

        Raises:
            UnknownOperator: a node is not of the table, or is used in a way that is not imported.
            BadGraph: there are several inputs, or several outputs and none is chosen, or the
                graph cannot be computed as the file has it.
        """
        return cls(model, ports(model, output), one_by_one=one_by_one)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one row.

        Raises:
            BadGraph: the file leaves a size open.
        """
        sizes = [size for size in self.ports.shape if size is not None]
        if len(sizes) < len(self.ports.shape):
            declared = ", ".join("?" if size is None else str(size) for size in self.ports.shape)
            raise BadGraph(
                f"The graph declares rows of shape ({declared}), with sizes left open: say which "
                "shape is meant, as shape=..."
            )
        return tuple(sizes)

    @property
    def dtype(self) -> torch.dtype:
        """The type of number that the file declares for the input."""
        return torch.from_numpy(np.empty(0, self.ports.dtype)).dtype

    def forward(self, x: Shaped[Tensor, "n ..."]) -> Shaped[Tensor, "n outputs"]:
        """The outputs of x (n, *shape), flattened for each row.

        Raises:
            BadGraph: an operator fails on values of these shapes.
        """
        if self.one_by_one:
            return self._by_sets(x, self.ports.batch or 1)
        return self._flat(self._run(x), len(x))

    def extra_repr(self) -> str:
        """How the nodes are joined."""
        joints = [f"{node.name}: {node.inputs} -> {node.outputs}" for node in self.nodes]
        return "\n".join([f"one_by_one={self.one_by_one}", *joints])

    def _by_sets(self, x: Tensor, rows: int) -> Tensor:
        """The outputs of x, so many rows a run; the last set is filled up with its last row."""
        n = len(x)
        if short := -n % rows:
            x = x[torch.arange(n + short, device=x.device).clamp_max(n - 1)]
        sets = x if self.ports.rowless else x.unflatten(0, (-1, rows))
        return self._flat(torch.vmap(self._run)(sets), n + short)[:n]

    def _flat(self, out: Tensor, rows: int) -> Tensor:
        if not rows:
            return out.flatten(1)
        if out.numel() % rows:
            raise BadGraph(
                f"The graph answers {tuple(out.shape)} to {rows} rows, which does not share out "
                "among them: import it one_by_one."
            )
        return out.reshape(rows, -1)

    def _run(self, x: Tensor) -> Tensor:
        """The output for x as the file declares its input."""
        values = {self.ports.input: x}
        steps = self.children()
        for node, step, finished in zip(self.nodes, steps, self._finished, strict=True):
            result = step(*[values[name] for name in node.arriving])
            if node.returns_several:
                values.update(zip(node.outputs, result, strict=False))
            else:
                values[node.outputs[0]] = result
            for name in finished:
                del values[name]
        return values[self.ports.output]


def _finished(nodes: tuple[Node, ...], output: str) -> tuple[tuple[str, ...], ...]:
    """For each node, the values that nothing reads after it: their memory can go."""
    later, finished = {output}, []
    for node in reversed(nodes):
        names = dict.fromkeys((*node.arriving, *node.outputs))
        finished.append(tuple(name for name in names if name not in later))
        later.update(node.arriving)
    return tuple(reversed(finished))
