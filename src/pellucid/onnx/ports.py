"""What an ONNX graph takes and gives: the one input, the one output that is read, the row axis."""

from dataclasses import dataclass
from math import prod

from onnx import GraphProto, ModelProto, TensorProto, TypeProto, ValueInfoProto

from pellucid.errors import UserError

DTYPES: dict[int, str] = {
    TensorProto.FLOAT: "float32",
    TensorProto.DOUBLE: "float64",
    TensorProto.FLOAT16: "float16",
    TensorProto.INT8: "int8",
    TensorProto.INT16: "int16",
    TensorProto.INT32: "int32",
    TensorProto.INT64: "int64",
    TensorProto.UINT8: "uint8",
    TensorProto.BOOL: "bool",
}


class BadGraph(UserError):
    """An ONNX graph cannot be used as it stands."""


def quoted(name: str) -> str:
    """A name out of a file, for a sentence: cut short, and without what a terminal obeys."""
    return ascii(name if len(name) <= 60 else f"{name[:60]}...")


def reason(error: Exception) -> str:
    """What a library says went wrong: its first line, cut short, without what a terminal obeys."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    plain = line.split(" : ")[-1]  # onnxruntime's own numbers and names stand in front
    return ascii(plain[:300].rstrip(" .:"))[1:-1]


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Where rows go into a graph and where answers come out.

    The first axis of the input is the row axis, unless its size is fixed and cannot be one: a
    vector of fixed length, or a first size other than 1 that the output does not share.
    """

    input: str  # the graph input that no initialiser fills
    shape: tuple[int | None, ...]  # of one row; None where the file leaves a size open
    batch: int | None  # the rows of one run, if the file fixes them
    rowless: bool  # there is no row axis: a run takes one row (and batch is 1)
    dtype: str  # numpy's name of the input's type
    output: str  # the graph output that is read
    outputs: int | None  # the numbers it holds for a row, if the file declares them


def inputs(graph: GraphProto) -> list[ValueInfoProto]:
    """The graph's inputs that no initialiser fills."""
    filled = {tensor.name for tensor in graph.initializer}
    return [value for value in graph.input if value.name not in filled]


def ports(model: ModelProto, output: str | None = None) -> Ports:
    """The input of a graph, and the output called `output` or else its only one.

    Raises:
        BadGraph: there are several inputs, or several outputs and none is chosen, or no output
            has this name, or what goes in or comes out is not a tensor of numbers.
    """
    entry, chosen = _input(model.graph), _output(model.graph, output)
    sizes, given = _sizes(entry.type), _sizes(chosen.type)
    rowless = _rowless(sizes, given)
    batch = 1 if rowless else sizes[0]
    return Ports(
        input=entry.name,
        shape=sizes if rowless else sizes[1:],
        batch=batch,
        rowless=rowless,
        dtype=DTYPES[entry.type.tensor_type.elem_type],
        output=chosen.name,
        outputs=_outputs(chosen.type, given, batch),
    )


def _input(graph: GraphProto) -> ValueInfoProto:
    entries = inputs(graph)
    if len(entries) != 1:
        names = ", ".join(quoted(value.name) for value in entries) or "none"
        raise BadGraph(
            f"The graph must take one input but takes {len(entries)} ({names}): export it with "
            "the others as constants."
        )
    (entry,) = entries
    tensor, what = entry.type.tensor_type, f"The graph's input {quoted(entry.name)}"
    if not entry.type.HasField("tensor_type") or tensor.elem_type not in DTYPES:
        raise BadGraph(
            f"{what} takes {_kind(entry.type)}, not a tensor of numbers: export the part of the "
            "model that takes numbers."
        )
    if not tensor.HasField("shape"):
        raise BadGraph(f"{what} declares no shape: export it again with one.")
    return entry


def _output(graph: GraphProto, name: str | None) -> ValueInfoProto:
    names = [value.name for value in graph.output]
    known = ", ".join(map(quoted, names)) or "none"
    if name is None and len(names) != 1:
        raise BadGraph(
            f"The graph gives {len(names)} outputs ({known}): say which to read, as output=NAME."
        )
    if name is not None and name not in names:
        raise BadGraph(f"The graph gives no output called {quoted(name)}: choose one of {known}.")
    chosen = graph.output[0 if name is None else names.index(name)]
    what = f"The graph's output {quoted(chosen.name)}"
    if chosen.type.sequence_type.elem_type.HasField("map_type"):
        raise BadGraph(
            f"{what} is a list of maps (a ZipMap), not a tensor: export the classifier again with "
            "options={'zipmap': False}."
        )
    if chosen.type.tensor_type.elem_type not in DTYPES:
        raise BadGraph(
            f"{what} gives {_kind(chosen.type)}, not a tensor of numbers: read one that does, with "
            f"output=NAME (there are {known})."
        )
    return chosen


def _kind(kind: TypeProto) -> str:
    """A type that is no tensor of numbers, in words."""
    if not kind.HasField("tensor_type"):
        return f"a value of type {kind.WhichOneof('value') or 'unknown'}"
    known = TensorProto.DataType.values()
    elem_type = kind.tensor_type.elem_type
    return TensorProto.DataType.Name(elem_type) if elem_type in known else f"type {elem_type}"


def _sizes(kind: TypeProto) -> tuple[int | None, ...]:
    """The declared sizes, None where one is open; empty where no shape is declared."""
    axes = kind.tensor_type.shape.dim  # some exporters write -1 or 0 where a size is open
    return tuple(axis.dim_value if axis.dim_value > 0 else None for axis in axes)


def _rowless(sizes: tuple[int | None, ...], given: tuple[int | None, ...]) -> bool:
    if not sizes or (len(sizes) == 1 and sizes[0] is not None):
        return True
    first, due = sizes[0], given[0] if given else None
    return first not in (None, 1) and due is not None and due != first


def _outputs(kind: TypeProto, given: tuple[int | None, ...], batch: int | None) -> int | None:
    """The numbers that a row gets, if the declared sizes say so."""
    mine = given[1:] if batch is None else given
    if not kind.tensor_type.HasField("shape") or None in mine or (batch is None and not given):
        return None
    return prod(size for size in mine if size is not None) // (batch or 1)
