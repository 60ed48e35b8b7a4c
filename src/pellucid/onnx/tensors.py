"""The tensors that an ONNX file stores: what they claim, what they hold, and where it lies."""

from collections.abc import Iterator
from math import prod
from pathlib import Path

from onnx import AttributeProto, GraphProto, TensorProto, helper

from pellucid.onnx.ports import BadGraph, quoted

LARGEST = 2**31 - 1  # bytes of a file, of one tensor, and of all that are stored
AXES = 64  # more than numpy and torch know
_BITS = {
    4: ("UINT4", "INT4"),
    8: ("UINT8", "INT8", "BOOL", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ"),
    16: ("UINT16", "INT16", "FLOAT16", "BFLOAT16"),
    32: ("FLOAT", "INT32", "UINT32"),
    64: ("DOUBLE", "INT64", "UINT64", "COMPLEX64"),
    128: ("COMPLEX128", "STRING"),  # of a string, what it takes beside its bytes
}
BITS: dict[int, int] = {
    TensorProto.DataType.Value(name): bits for bits, names in _BITS.items() for name in names
}
_PARTS: dict[int, int] = {
    TensorProto.COMPLEX64: 2,
    TensorProto.COMPLEX128: 2,
}  # numbers listed an element


def stored(graph: GraphProto) -> Iterator[TensorProto]:
    """Every tensor in a graph, in its nodes' attributes and in the graphs inside them.

    Raises:
        BadGraph: one is sparse (a few bytes of it can claim any amount of memory).
    """
    if graph.sparse_initializer:
        raise BadGraph(
            "The graph has sparse initialisers, which Pellucid does not read: export the model "
            "with dense weights."
        )
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("sparse_tensor") or attribute.sparse_tensors:
                raise BadGraph(
                    f"The attribute {quoted(attribute.name)} of node {quoted(node.name)} is "
                    "sparse, which Pellucid does not read: export it dense."
                )
            yield from _of_attribute(attribute)


def _of_attribute(attribute: AttributeProto) -> Iterator[TensorProto]:
    if attribute.HasField("t"):
        yield attribute.t
    yield from attribute.tensors
    for graph in graphs(attribute):
        yield from stored(graph)


def graphs(attribute: AttributeProto) -> list[GraphProto]:
    """The graphs that an attribute holds: a branch, or the body of a loop."""
    return [attribute.g, *attribute.graphs] if attribute.HasField("g") else list(attribute.graphs)


def size(elem_type: int, dims: list[int]) -> int:
    """The bytes that so many elements of a type take."""
    return -(-prod(dims) * BITS[elem_type] // 8)


def check(tensor: TensorProto) -> int:
    """The bytes that a stored tensor claims, once it is known to hold just as many.

    Raises:
        BadGraph: its sizes, type or content do not fit together, or are above the cap. What lies
            outside the file is not looked at.
    """
    dims, name = list(tensor.dims), f"The tensor {quoted(tensor.name)}"
    if tensor.data_type not in BITS:
        raise BadGraph(f"{name} is of the unknown type {tensor.data_type}: export the model again.")
    if len(dims) > AXES:
        raise BadGraph(f"{name} claims {len(dims)} axes, above {AXES}: the file is broken.")
    if any(axis < 0 for axis in dims):
        raise BadGraph(f"{name} claims the negative size {min(dims)}: the file is broken.")
    claimed = size(tensor.data_type, dims)
    if claimed > LARGEST:
        raise BadGraph(
            f"{name} claims {claimed} bytes, above the {LARGEST} that Pellucid reads: the file is "
            "broken, or the model too large."
        )
    if tensor.HasField("segment"):
        raise BadGraph(f"{name} is a segment of another, which Pellucid does not read: join them.")
    text = tensor.data_type == TensorProto.STRING
    if text and (tensor.HasField("raw_data") or tensor.data_location == TensorProto.EXTERNAL):
        raise BadGraph(f"{name} holds text as bytes, which ONNX forbids: export the model again.")
    if tensor.data_location != TensorProto.EXTERNAL:
        _check_held(tensor, claimed)
    return claimed


def _check_held(tensor: TensorProto, claimed: int) -> None:
    if tensor.HasField("raw_data"):
        held, due, unit = len(tensor.raw_data), claimed, "bytes"
    else:
        field = getattr(tensor, helper.tensor_dtype_to_field(tensor.data_type))
        packed = size(tensor.data_type, list(tensor.dims)) if BITS[tensor.data_type] < 8 else None
        due = prod(tensor.dims) * _PARTS.get(tensor.data_type, 1) if packed is None else packed
        held, unit = len(field), "numbers"
    if held != due:
        raise BadGraph(
            f"The tensor {quoted(tensor.name)} claims {due} {unit} but holds {held}: the file is "
            "broken."
        )


def load_external(tensor: TensorProto, claimed: int, folder: Path) -> None:
    """Bring the content of a tensor that lies in another file of `folder` into it.

    Raises:
        BadGraph: that file lies elsewhere, is none, or does not hold what the tensor claims.
    """
    entries = {entry.key: entry.value for entry in tensor.external_data}
    source = _source(tensor.name, entries.get("location", ""), folder)
    held = source.stat().st_size
    start = _number(tensor.name, entries.get("offset", "0"))
    length = _number(tensor.name, entries.get("length", str(held - start)))
    if length != claimed or start + length > held:
        raise BadGraph(
            f"The tensor {quoted(tensor.name)} takes {claimed} bytes, but the file names {length} "
            f"from byte {start} of {quoted(source.name)}, which has {held}: the data file is not "
            "this model's."
        )
    with source.open("rb") as stream:
        stream.seek(start)
        tensor.raw_data = stream.read(length)
    tensor.ClearField("external_data")
    tensor.ClearField("data_location")


def _source(name: str, location: str, folder: Path) -> Path:
    """The plain file at `location`, which must not lead out of the folder, by links either."""
    home = folder.resolve()
    try:
        source = (home / location).resolve()
        plain = source.is_file()
    except (OSError, RuntimeError, ValueError) as error:  # too long, a loop of links, a zero byte
        raise BadGraph(f"The tensor {quoted(name)} names a data file that is no path.") from error
    if Path(location).is_absolute() or not source.is_relative_to(home):
        raise BadGraph(
            f"The tensor {quoted(name)} wants its data from {quoted(location)}, outside the "
            "model's folder: put the data file beside the model."
        )
    if not plain:
        raise BadGraph(
            f"The tensor {quoted(name)} wants its data from {quoted(location)}, but {folder} holds "
            "no such file: put the data file beside the model."
        )
    return source


def _number(name: str, text: str) -> int:
    """A place in a file: digits alone."""
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise BadGraph(
            f"The tensor {quoted(name)} lies at {quoted(text)} of its data file, which is no "
            "place: the file is broken."
        )
    return int(text)
