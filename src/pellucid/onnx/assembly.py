"""From a file's nodes to steps: what is read, what is constant, what everything is called."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from onnx import ModelProto, NodeProto, TensorProto
from torch import Tensor, nn

from pellucid.onnx.operators.call import Call, Operator, UnknownOperator, tensor
from pellucid.onnx.operators.table import OPERATORS
from pellucid.onnx.ports import BadGraph, Ports, quoted
from pellucid.onnx.step import Step


@dataclass(frozen=True, kw_only=True)
class Node:
    """Where a step stands in the graph; values are called what the file calls them."""

    name: str  # of the submodule that computes it
    label: str  # of the node in the file; may be empty
    operator: str
    inputs: tuple[str, ...]  # in the standard's order, "" where one is left out
    arriving: tuple[str, ...]  # those of them that are no constants of the step
    outputs: tuple[str, ...]  # up to the last that is read
    returns_several: bool  # whether the step returns a tuple


class Constants:
    """What is known before any row: the initialisers, and what follows from them alone."""

    def __init__(self, initialisers: Iterable[TensorProto]) -> None:
        """What the file stores is turned into tensors when it is asked for."""
        self._stored = {stored.name: stored for stored in initialisers}
        self._known: dict[str, Tensor] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._known or name in self._stored

    def __getitem__(self, name: str) -> Tensor:
        """A value; floats that come from initialisers are parameters, one for all who read them."""
        if name not in self._known:
            self._known[name] = _weight(tensor(self._stored[name]))
        return self._known[name]

    def fold(self, call: Call, outputs: tuple[str, ...], step: Step) -> None:
        """Compute a node that reads constants alone."""
        with torch.no_grad():
            result = step()
        values = (result,) if isinstance(result, Tensor) else result
        trained = any(isinstance(value, nn.Parameter) for value in call.constants.values())
        for name, value in zip(outputs, values, strict=False):
            same = any(value is given for given in call.constants.values())  # as of an Identity
            owned = value if same else value.clone(memory_format=torch.contiguous_format)
            self._known[name] = _weight(owned) if trained and not same else owned


def _weight(value: Tensor) -> Tensor:
    return nn.Parameter(value) if value.is_floating_point() else value


def assemble(
    model: ModelProto, ports: Ports, taken: set[str], rows: int | None
) -> Iterator[tuple[Node, Step]]:
    """The nodes that the output needs and no constant replaces, in the file's order.

    `taken` are names that no submodule may have; `rows` is the number of rows that the file is
    made for, if another number is to go through.

    Raises:
        UnknownOperator: a node is not of the table, or is used in a way that is not imported.
        BadGraph: the graph cannot be computed as the file has it.
    """
    protos = _needed(model, ports)
    _check_known(protos)
    read = {name for proto in protos for name in proto.input} | {ports.output}
    version = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    constants, known, taken = Constants(model.graph.initializer), {ports.input}, set(taken)
    for number, proto in enumerate(protos):
        operator = OPERATORS[proto.op_type]
        call = _call(proto, operator, version, constants, rows)
        outputs = _read_outputs(call, operator, read)
        _check_made(call, known)
        step = Step(call, operator)
        if not call.arriving:
            constants.fold(call, outputs, step)
            continue
        known.update(outputs)
        name = _name(call, number, taken)
        taken.add(name)
        yield _node(name, call, outputs, operator), step
    if ports.output not in known:
        raise BadGraph(
            f"The graph's output {quoted(ports.output)} does not depend on its input "
            f"{quoted(ports.input)}: read another output, or export the model again."
        )


def _needed(model: ModelProto, ports: Ports) -> list[NodeProto]:
    """The nodes that the output follows from."""
    makers = {name: proto for proto in model.graph.node for name in proto.output if name}
    wanted, open_names = set(), [ports.output]
    while open_names:
        name = open_names.pop()
        if name in wanted or name == ports.input:
            continue
        wanted.add(name)
        open_names += makers[name].input if name in makers else ()
    return [proto for proto in model.graph.node if wanted.intersection(proto.output) - {""}]


def _check_known(protos: list[NodeProto]) -> None:
    strange = [p for p in protos if p.domain not in ("", "ai.onnx") or p.op_type not in OPERATORS]
    if not strange:
        return
    named = dict.fromkeys(f"{p.domain}.{p.op_type}".lstrip(".") for p in strange)
    first, every = strange[0], ", ".join(map(quoted, named))
    raise UnknownOperator(
        f"Pellucid does not import the operator{'s' * (len(named) > 1)} {every} (first at node "
        f"{quoted(first.name or f'making {first.output[0]}')}): the model can be opened as a box "
        "without gradients.",
        operator=first.op_type,
        node=first.name,
    )


def _call(
    proto: NodeProto, operator: Operator, version: int, constants: Constants, rows: int | None
) -> Call:
    """A node as its operator reads it, attributes that stand for inputs among the inputs."""
    names = list(proto.input)
    known = {place: constants[name] for place, name in enumerate(names) if name in constants}
    call = Call(
        operator=proto.op_type,
        label=proto.name,
        attributes={attribute.name: attribute for attribute in proto.attribute},
        version=version,
        inputs=tuple(names),
        outputs=tuple(proto.output),
        constants=known,
        rows=rows,
    )
    return call.with_carried(operator.carried(call))


def _read_outputs(call: Call, operator: Operator, read: set[str]) -> tuple[str, ...]:
    """The outputs up to the last that something reads."""
    last = max(place for place, name in enumerate(call.outputs) if name in read)
    if last and not operator.several:
        raise call.unknown(f"whose output {quoted(call.outputs[last])} is read")
    return call.outputs[: last + 1]


def _check_made(call: Call, known: set[str]) -> None:
    missing = [call.inputs[place] for place in call.arriving if call.inputs[place] not in known]
    if missing:
        raise BadGraph(
            f"The {call.title} reads {quoted(missing[0])}, which no node before it makes: the file "
            "is broken."
        )


def _name(call: Call, number: int, taken: set[str]) -> str:
    """A name for a submodule: the file's where it can be, without dots and slashes."""
    name = re.sub(r"\W+", "_", call.label, flags=re.ASCII).strip("_")
    name = name or f"{call.operator}_{number}"
    return name if name not in taken else f"{name}__{number}"


def _node(name: str, call: Call, outputs: tuple[str, ...], operator: Operator) -> Node:
    return Node(
        name=name,
        label=call.label,
        operator=call.operator,
        inputs=call.inputs,
        arriving=tuple(call.inputs[place] for place in call.arriving),
        outputs=outputs,
        returns_several=operator.several,
    )
