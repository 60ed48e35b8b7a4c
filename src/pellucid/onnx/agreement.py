"""Whether a graph in torch answers as onnxruntime does, and if not, which node differs first."""

from contextlib import suppress
from math import inf

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, ValueInfoProto
from torch import Tensor

from pellucid.errors import UserError
from pellucid.onnx.graph import Graph, Node
from pellucid.onnx.ports import BadGraph, Ports, quoted, reason
from pellucid.onnx.session import Session, run, runtime
from pellucid.onnx.tensors import stored

ROWS = 8
TOLERANCE = 1e-4  # of the largest value
HALF = 1e-2  # the same where numbers of 16 bits take part, which hold three digits
FLOOR = 1e-6  # values below it count as zero


class Disagreement(UserError):
    """A graph answers otherwise than onnxruntime says it should."""


def agree(
    model: ModelProto,
    graph: Graph,
    session: Session,
    *,
    shape: tuple[int, ...] | None = None,
    bounds: tuple[float, float] | None = None,
) -> Graph:
    """The graph, or one that takes its rows one by one, if it answers as onnxruntime does.

    Both are asked fixed random rows: the graph all at once, onnxruntime one at a time, so that a
    graph which mixes its rows is found out. `shape` and `bounds` (in the model's own units) say
    what the file leaves open: the sizes of a row, and where its numbers lie.

    Raises:
        Disagreement: neither does; it names the first node that differs.
        BadGraph: onnxruntime fails, or sizes are open and no shape is given.
    """
    x = questions(session.ports, shape, bounds)
    want, allowed = session.alone()(x), tolerance(model)
    if _distance(_answers(graph, x), want) <= allowed:
        return graph
    if not graph.one_by_one:
        single = Graph.of(model, session.ports.output, one_by_one=True)
        if _distance(_answers(single, x), want) <= allowed:
            return single
    raise Disagreement(
        f"{_culprit(model, graph, session, x[:1], allowed)}, so that the model is not opened: "
        "export it with other operators, or report this one."
    )


def questions(
    ports: Ports, shape: tuple[int, ...] | None = None, bounds: tuple[float, float] | None = None
) -> NDArray[np.generic]:
    """Random rows (ROWS, *shape), always the same: 0 and 1 for integers, else within the bounds.

    Raises:
        BadGraph: the file leaves sizes open that `shape` does not fill, or they differ.
    """
    sizes, rng = (ROWS, *_row(ports, shape)), np.random.default_rng(0)
    if np.dtype(ports.dtype).kind != "f":
        return rng.integers(0, 2, sizes).astype(ports.dtype)
    x = rng.normal(size=sizes) if bounds is None else rng.uniform(*bounds, sizes)
    return x.astype(ports.dtype)


def tolerance(model: ModelProto) -> float:
    """How far two answers may lie apart, relative to the largest value."""
    halves = (TensorProto.FLOAT16, TensorProto.BFLOAT16)
    declared = [value.type.tensor_type.elem_type for value in model.graph.input]
    held = [tensor.data_type for tensor in stored(model.graph)]
    return HALF if any(kind in halves for kind in (*declared, *held)) else TOLERANCE


def distance(ours: NDArray[np.generic], theirs: NDArray[np.generic]) -> float:
    """The largest difference over the largest value; infinite where only one is not finite."""
    if ours.size != theirs.size:
        return inf
    a, b = ours.astype(np.float64).ravel(), theirs.astype(np.float64).ravel()
    finite = np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return inf
    a, b = a[finite], b[finite]
    if not a.size:
        return 0.0
    gap = np.abs(a - b).max()
    return float(gap / max(np.abs(b).max(), FLOOR)) if np.isfinite(gap) else inf


def _row(ports: Ports, shape: tuple[int, ...] | None) -> tuple[int, ...]:
    sizes = ports.shape if shape is None else shape
    fits = len(sizes) == len(ports.shape) and all(
        due in (None, size) for due, size in zip(ports.shape, sizes, strict=True)
    )
    known = tuple(size for size in sizes if size is not None)
    if not fits or len(known) < len(sizes):
        wanted = ", ".join("?" if size is None else str(size) for size in ports.shape)
        raise BadGraph(
            f"A row of the graph's input {quoted(ports.input)} has the sizes ({wanted})"
            f"{'' if shape is None else f', not {shape}'}: give the shape of a row that fits."
        )
    return known


def _answers(graph: Graph, x: NDArray[np.generic]) -> NDArray[np.generic] | None:
    """What the graph says of x; None if it fails."""
    with torch.no_grad(), suppress(BadGraph):
        return graph(torch.from_numpy(x)).numpy()
    return None


def _distance(ours: NDArray[np.generic] | None, theirs: NDArray[np.generic]) -> float:
    return inf if ours is None else distance(ours, theirs)


def _culprit(
    model: ModelProto, graph: Graph, session: Session, x: NDArray[np.generic], allowed: float
) -> str:
    """What is known of the first node that differs on one row, as the start of a sentence."""
    feed = {session.ports.input: session.fill(x)}
    theirs = _values(model, graph, feed)
    ours = {name: torch.from_numpy(value) for name, value in feed.items()}
    for node in graph.nodes:
        try:
            made = _compute(graph, node, ours)
        except BadGraph as error:
            return f"The {_said(node)} fails in Pellucid ({reason(error)})"
        for name in filter(None, made):
            apart = distance(made[name].numpy(), theirs[name])
            if apart > allowed:
                return (
                    f"The {_said(node)} differs between Pellucid and onnxruntime by {apart:.2g} of "
                    f"its largest value, where {allowed:g} is allowed"
                )
        ours |= made
    return "Every node agrees with onnxruntime on one row, but rows asked together do not"


def _compute(graph: Graph, node: Node, values: dict[str, Tensor]) -> dict[str, Tensor]:
    """What one node makes of the values before it, by name."""
    with torch.no_grad():
        result = graph.get_submodule(node.name)(*[values[name] for name in node.arriving])
    results = result if node.returns_several else (result,)
    named = zip(node.outputs, results, strict=False)  # what nobody reads has no name
    return {name: value.detach() for name, value in named}


def _values(
    model: ModelProto, graph: Graph, feed: dict[str, NDArray[np.generic]]
) -> dict[str, NDArray[np.generic]]:
    """What onnxruntime computes at each of the graph's nodes."""
    names = [name for node in graph.nodes for name in node.outputs if name]
    exposed = ModelProto()
    exposed.CopyFrom(model)
    known = {value.name for value in exposed.graph.output}
    exposed.graph.output.extend(ValueInfoProto(name=name) for name in names if name not in known)
    return dict(zip(names, run(runtime(exposed, optimise=False), names, feed), strict=True))


def _said(node: Node) -> str:
    """A node in a sentence."""
    return f"node {quoted(node.label or f'making {node.outputs[0]}')} ({node.operator})"
