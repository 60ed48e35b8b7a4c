"""How large the values in an ONNX graph grow, told from the file before anything is computed."""

from math import prod

from onnx import ModelProto, TensorProto, ValueInfoProto, checker, helper, shape_inference

from pellucid.onnx.ports import BadGraph, inputs, quoted, reason
from pellucid.onnx.tensors import BITS, LARGEST, size

TOGETHER = 2**33  # bytes of all the values of one row
SMALL = 1024  # elements: tensors above are weights, whose numbers decide no shape


def check(model: ModelProto) -> None:
    """Refuse a graph that onnx refuses, or whose values are above the caps for a single row.

    A size that nodes compute cannot be told from the file: onnx's data propagation, which follows
    some, writes integer vectors out at any length, so that it would itself fill the memory.

    Raises:
        BadGraph: onnx.checker or shape inference finds a fault, or a value is too large.
    """
    outline = _outline(model)
    try:
        checker.check_model(outline)
        inferred = shape_inference.infer_shapes(_single_row(outline))
    except (checker.ValidationError, shape_inference.InferenceError, ValueError) as error:
        raise BadGraph(
            f"The file is not a valid ONNX model: {reason(error)}; export it again."
        ) from error
    total = 0
    for value in (*inferred.graph.value_info, *inferred.graph.output):
        total += _bytes(value)
        if total > TOGETHER:
            raise BadGraph(
                f"The values of this graph take more than {TOGETHER} bytes for a single row: the "
                "file is hostile, or the model too large for Pellucid."
            )


def _outline(model: ModelProto) -> ModelProto:
    """The model with its weights as inputs: all that shapes depend on, in little memory."""
    graph = model.graph
    known = {value.name for value in graph.input}
    large = [tensor for tensor in graph.initializer if prod(tensor.dims) > SMALL]
    weights = [
        helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
        for tensor in large
        if tensor.name not in known
    ]
    names = {tensor.name for tensor in large}
    outline = ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    outline.graph.name = graph.name or "graph"  # onnx wants one
    outline.graph.node.extend(graph.node)
    outline.graph.input.extend([*graph.input, *weights])
    outline.graph.output.extend(graph.output)
    outline.graph.initializer.extend(t for t in graph.initializer if t.name not in names)
    for value in (*outline.graph.input, *outline.graph.output):
        if value.type.HasField("tensor_type"):  # the checker wants a shape, which ONNX does not
            value.type.tensor_type.shape.SetInParent()
    return outline


def _single_row(outline: ModelProto) -> ModelProto:
    """The outline for one row, without the sizes that the file declares and that may be lies."""
    single = ModelProto()
    single.CopyFrom(outline)
    for value in inputs(single.graph):
        axes = value.type.tensor_type.shape.dim
        if axes and axes[0].dim_value < 1:
            axes[0].dim_value = 1
    for value in single.graph.output:
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.ClearField("shape")
    return single


def _bytes(value: ValueInfoProto) -> int:
    """What a value takes at least; sizes that are not known count as 1."""
    tensor = value.type.tensor_type
    elem_type = tensor.elem_type if tensor.elem_type in BITS else TensorProto.UINT8
    dims = [axis.dim_value if axis.HasField("dim_value") else 1 for axis in tensor.shape.dim]
    taken = size(elem_type, [max(axis, 0) for axis in dims])
    if taken > LARGEST:
        raise BadGraph(
            f"The value {quoted(value.name)} takes {taken} bytes for a single row, above the "
            f"{LARGEST} that Pellucid allows: the file is hostile, or the model too large."
        )
    return taken
