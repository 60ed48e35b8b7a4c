"""Graphs of one operator, and what onnxruntime says of them."""

from dataclasses import dataclass, field

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

IR_VERSION = 8  # old enough for every onnxruntime that the project may meet


@dataclass(frozen=True, kw_only=True)
class Case:
    """An operator on one input that varies and others that stand in the file."""

    operator: str
    x: np.ndarray
    others: tuple = ()  # arrays; None is left out
    first: int = 0  # the place of x among the inputs
    attributes: dict = field(default_factory=dict)
    opsets: tuple[int, ...] = (21,)
    read: int = 0  # the output that is read
    outputs: int = 1

    def __str__(self):
        settings = "-".join(f"{k}={v}" for k, v in self.attributes.items())
        return f"{self.operator}-{self.x.shape}-{settings}"[:70]


def graph_of(case, opset):
    """x (1, *shape) -> reshape -> the operator -> float32 -> (1, outputs)."""
    names = [f"c{place}" if other is not None else "" for place, other in enumerate(case.others)]
    stored = [
        numpy_helper.from_array(np.asarray(other), name)
        for name, other in zip(names, case.others, strict=True)
        if other is not None
    ]
    names.insert(case.first, "in")
    stored += [
        numpy_helper.from_array(np.array(case.x.shape, dtype=np.int64), "shape"),
        numpy_helper.from_array(np.array([1, -1], dtype=np.int64), "flat"),
    ]
    outputs = [f"out{place}" for place in range(case.outputs)]
    nodes = [
        helper.make_node("Reshape", ["x", "shape"], ["in"], name="entry"),
        helper.make_node(case.operator, names, outputs, name="subject", **case.attributes),
        helper.make_node("Cast", [outputs[case.read]], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["float", "flat"], ["y"], name="exit"),
    ]
    kind = helper.np_dtype_to_tensor_dtype(case.x.dtype)
    x = helper.make_tensor_value_info("x", kind, (1, *case.x.shape))
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, None))
    return model_of(nodes, [x], [y], stored, opset)


def model_of(nodes, inputs, outputs, stored=(), opset=13):
    graph = helper.make_graph(nodes, "graph", inputs, outputs, list(stored))
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def answers(running, x, row_by_row=True):
    """What onnxruntime answers to x (n, *shape), flattened: (n, outputs)."""
    name = running.get_inputs()[0].name
    sets = [x[i : i + 1] for i in range(len(x))] if row_by_row else [x]
    return np.concatenate(
        [running.run(None, {name: rows})[0].reshape(len(rows), -1) for rows in sets]
    )
