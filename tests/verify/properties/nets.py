"""Networks of known behaviour as ONNX files, and properties of them."""

from itertools import pairwise

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from tests.onnx.operator_graphs import model_of

from pellucid.opening import Facts, understand
from pellucid.verify.properties.property import Case, Property
from pellucid.verify.properties.raw import raw
from pellucid.verify.properties.region import Region
from pellucid.verify.properties.unsafe import Constraint, UnsafeSet

NODE = helper.make_node


def saved(path, nodes, shape, outputs, **arrays):
    """A file of a graph from x (1, *shape) to y (1, outputs)."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, *shape))
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, outputs))
    stored = [
        numpy_helper.from_array(np.asarray(array, np.float32), name)
        for name, array in arrays.items()
    ]
    onnx.save(model_of(nodes, [x], [y], stored), path)
    return str(path)


def linear(folder, weight):
    """y = x @ weight."""
    weight = np.asarray(weight)
    nodes = [NODE("MatMul", ["x", "w"], ["y"])]
    return saved(folder / "linear.onnx", nodes, weight.shape[:1], weight.shape[1], w=weight)


def network(folder, seed=0, sizes=(2, 16, 16, 2)):
    """A network of random weights with two hidden layers."""
    draw = np.random.default_rng(seed)
    arrays, nodes, last = {}, [], "x"
    for i, (size, out) in enumerate(pairwise(sizes)):
        end = i == len(sizes) - 2
        arrays |= {f"w{i}": draw.normal(size=(size, out)) * (2 / size) ** 0.5}
        arrays |= {f"b{i}": draw.normal(size=out) / 4}
        nodes.append(NODE("Gemm", [last, f"w{i}", f"b{i}"], ["y" if end else f"h{i}"]))
        nodes += [] if end else [NODE("Relu", [f"h{i}"], [f"a{i}"])]
        last = f"a{i}"
    return saved(folder / f"net{seed}.onnx", nodes, sizes[:1], sizes[-1], **arrays)


def opened(path, access=None):
    return raw(understand(path, declared=Facts(emits="values")), access)


def region(low, high):
    return Region(
        low=torch.tensor(low, dtype=torch.float64), high=torch.tensor(high, dtype=torch.float64)
    )


def unsafe(*polytopes):
    """Polytopes, each a list of (coefficients, bound)."""
    made = [tuple(Constraint(coefficients=c, bound=b) for c, b in each) for each in polytopes]
    return UnsafeSet(polytopes=tuple(made))


def prop(low, high, *polytopes):
    return Property(cases=(Case(region=region(low, high), unsafe=unsafe(*polytopes)),))
