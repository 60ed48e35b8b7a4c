"""Small ONNX models to check and to load."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT
RANDOM = np.random.default_rng(0)
W, V = RANDOM.normal(size=(5, 6)), RANDOM.normal(size=(6, 3))
MLP = (
    helper.make_node("MatMul", ["x", "w"], ["a"], name="enter"),
    helper.make_node("Tanh", ["a"], ["b"], name="bend"),
    helper.make_node("MatMul", ["b", "v"], ["c"], name="leave"),
    helper.make_node("Exp", ["c"], ["y"]),
)


def make(nodes=MLP, entry=("n", 5), leave=("n", 3), elem_type=FLOAT, domain=None, **stored):
    dtype = helper.tensor_dtype_to_np_dtype(elem_type)
    weights = {"w": W.astype(dtype), "v": V.astype(dtype)} | stored
    graph = helper.make_graph(
        list(nodes),
        "g",
        [helper.make_tensor_value_info("x", elem_type, entry)],
        [helper.make_tensor_value_info("y", elem_type, leave)],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()],
    )
    opsets = [helper.make_opsetid("", 17)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def own(entry=("n", 5), nodes=()):
    """A graph with operators of onnxruntime's own, which Pellucid does not import."""
    gelu = helper.make_node("BiasGelu", ["c", "bias"], ["d"], name="smooth", domain="com.microsoft")
    tail = nodes or [helper.make_node("Exp", ["d"], ["y"])]
    leave = (*entry[:-1], 3)
    bias = np.zeros(3, np.float32)
    return make([*MLP[:3], gelu, *tail], entry, leave, domain="com.microsoft", bias=bias)


def softmax_over_rows():
    """A graph that lets its rows meet: what it says of one depends on the others."""
    nodes = [*MLP[:3], helper.make_node("Softmax", ["c"], ["y"], axis=0)]
    return make(nodes)


def saved(model, folder):
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path
