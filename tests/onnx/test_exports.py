"""Two hundred modules, exported by torch, read back, and held against what they were."""

import io
import random

import numpy as np
import onnx
import pytest
import torch
from tests.onnx.generated_modules import drawn
from tests.onnx.operator_graphs import answers, session

from pellucid.onnx.graph import Graph
from pellucid.onnx.ports import BadGraph

OLD, NEW = range(176), range(176, 200)  # seeds of graphs made by the two exporters


def exported_by_tracing(found, seed):
    """By the older exporter, whose tracing is fast: all opsets, with rows fixed at 1 or open."""
    draw = random.Random(1000 + seed)
    opset, fixed = draw.randint(found.lowest, 20), draw.random() < 0.4
    stream = io.BytesIO()
    torch.onnx.export(
        found.module,
        (torch.randn(1, *found.shape),),
        stream,
        dynamo=False,
        opset_version=opset,
        input_names=["x"],
        output_names=["y"],
        dynamic_axes=None if fixed else {"x": {0: "rows"}, "y": {0: "rows"}},
        do_constant_folding=draw.random() < 0.7,
    )
    return onnx.load_from_string(stream.getvalue())


def exported_by_dynamo(found, seed):
    """By the newer exporter, which writes opset 18 and above."""
    draw = random.Random(1000 + seed)
    program = torch.onnx.export(
        found.module,
        (torch.randn(2, *found.shape),),
        dynamo=True,
        opset_version=draw.choice((18, 20, 21)),
        dynamic_shapes=({0: torch.export.Dim.DYNAMIC},),
        verbose=False,
    )
    return program.model_proto


def check(found, model, seed):
    x = torch.randn(3, *found.shape, generator=torch.Generator().manual_seed(seed))
    due = found.module(x)
    fixed = Graph.of(model).ports.batch is not None
    assert_close(answers(session(model), x.numpy(), row_by_row=fixed), due)
    graph = lifted(model, x, due) if fixed else Graph.of(model)
    for each in (graph, Graph.of(model, one_by_one=True)):
        assert_close(each(x).detach().numpy(), due)
        assert_close(gradient(each, x), gradient(found.module, x))


def lifted(model, x, due):
    """The graph for many rows at once, where a file for one row makes a right one."""
    try:
        graph = Graph.of(model)
        right = np.allclose(graph(x).detach().numpy(), due, rtol=1e-4, atol=1e-4)
    except BadGraph:
        right = False
    return graph if right else Graph.of(model, one_by_one=True)


def gradient(module, x):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(module(x).square().sum(), x)[0]


def assert_close(given, due):
    scale = float(due.abs().max()) + 1e-6
    np.testing.assert_allclose(given, due, atol=1e-4 * scale)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the older exporter is one
@pytest.mark.filterwarnings("ignore::UserWarning")  # what it says of its own shortcuts
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
@pytest.mark.parametrize("seed", OLD)
def test_a_traced_module_comes_back(seed):
    found = drawn(seed)
    check(found, exported_by_tracing(found, seed), seed)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the newer exporter's own making
@pytest.mark.parametrize("seed", NEW)
def test_a_module_exported_by_dynamo_comes_back(seed):
    found = drawn(seed)
    check(found, exported_by_dynamo(found, seed), seed)
