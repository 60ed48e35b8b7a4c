"""Whether an ONNX graph is one: versions that are read, names made once, before they are read."""

from collections import Counter
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from onnx import GraphProto, ModelProto, NodeProto

from pellucid.onnx.ports import BadGraph, inputs, quoted
from pellucid.onnx.tensors import graphs

OPSETS = range(8, 22)  # of the operators of ONNX itself
ALIAS = "ai.onnx"  # another name of the domain ""


def said(node: NodeProto) -> str:
    """A node in a sentence: its name, or what it makes, and its operator."""
    name = node.name or (f"making {node.output[0]}" if node.output else "without a name")
    return f"node {quoted(name)} ({quoted(node.op_type)[1:-1]})"


def check(model: ModelProto) -> None:
    """Refuse a model whose graph cannot be run in the order of its nodes.

    Raises:
        BadGraph: it has no graph, nodes or inputs, local functions, an opset that is not read, a
            cycle, or names that are made twice, too late or not at all.
    """
    if not model.HasField("graph") or not model.graph.node:
        raise BadGraph("The file holds no graph of nodes: give an ONNX model.")
    if model.functions:
        raise BadGraph(
            f"The model defines the function {quoted(model.functions[0].name)} of its own, which "
            "Pellucid does not read: inline it with onnx.inliner.inline_local_functions and save "
            "it again."
        )
    _check_opset(model)
    if not inputs(model.graph):
        raise BadGraph("The graph takes no input: export the model with its input left open.")
    _check_names(model.graph)


def loops(graph: GraphProto) -> bool:
    """Whether a node runs a graph inside it over and over."""
    return any(
        node.op_type in ("Loop", "Scan") or any(map(loops, graphs(attribute)))
        for node in graph.node
        for attribute in node.attribute
    )


def unalias(model: ModelProto) -> None:
    """Write the domain of ONNX itself in one way, in place."""
    for entry in model.opset_import:
        if entry.domain == ALIAS:
            entry.domain = ""
    _unalias(model.graph)


def _unalias(graph: GraphProto) -> None:
    for node in graph.node:
        if node.domain == ALIAS:
            node.domain = ""
        for attribute in node.attribute:
            for inner in graphs(attribute):
                _unalias(inner)


def _check_opset(model: ModelProto) -> None:
    versions = {entry.version for entry in model.opset_import if entry.domain in ("", ALIAS)}
    own = any(node.domain in ("", ALIAS) for node in model.graph.node)
    if not versions and not own:  # all of it is, say, of ai.onnx.ml
        return
    if len(versions) != 1 or not versions <= set(OPSETS):
        found = " and ".join(map(str, sorted(versions))) or "none"
        raise BadGraph(
            f"The model is written in opset {found} of ONNX, and Pellucid reads {OPSETS.start} to "
            f"{OPSETS.stop - 1}: export it again with one of these, or convert it with "
            "onnx.version_converter."
        )


def _check_names(graph: GraphProto) -> None:
    first = [*(tensor.name for tensor in graph.initializer), *(v.name for v in inputs(graph))]
    made = [name for node in graph.node for name in node.output if name]
    if twice := _twice([*first, *made]):
        makers = [said(node) for node in graph.node if twice in node.output]
        raise BadGraph(
            f"The name {quoted(twice)} is made twice{_by(makers)}: the file is broken, export it "
            "again."
        )
    _check_order(graph, set(first), set(made))
    for value in graph.output:
        if value.name not in {*first, *made}:
            raise BadGraph(f"Nothing makes the graph's output {quoted(value.name)}: export again.")


def _twice(names: Iterable[str]) -> str | None:
    return next((name for name, times in Counter(names).items() if times > 1), None)


def _by(makers: list[str]) -> str:
    return f" (by {' and '.join(makers[:2])})" if makers else ""


def _check_order(graph: GraphProto, known: set[str], made: set[str]) -> None:
    """Every name that a node reads is made before it; if not, why not."""
    for node in graph.node:
        for name in node.input:
            if name and name not in known:
                if name not in made:
                    raise BadGraph(
                        f"The {said(node)} reads {quoted(name)}, which nothing makes: the file is "
                        "broken, export it again."
                    )
                raise _late(graph, node, name)
        known.update(node.output)


def _late(graph: GraphProto, node: NodeProto, name: str) -> BadGraph:
    makers = {made: number for number, other in enumerate(graph.node) for made in other.output}
    order = TopologicalSorter(
        {
            number: [makers[read] for read in other.input if read in makers]
            for number, other in enumerate(graph.node)
        }
    )
    try:
        order.prepare()
    except CycleError as error:
        return BadGraph(
            f"The graph is cyclic: the {said(graph.node[error.args[1][0]])} waits for itself; "
            "recurrent models must be unrolled, or exported as one step."
        )
    return BadGraph(
        f"The {said(node)} reads {quoted(name)} before it is made: sort the nodes, as ONNX "
        "demands, or export the model again."
    )
