"""The networks of the verification competition of 2021, where the user has them."""

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from tests.onnx.operator_graphs import answers, session

from pellucid.onnx.graph import Graph

FOLDER = Path(os.environ.get("PELLUCID_DATA", "")) / "vnncomp2021"
NETS = sorted(FOLDER.rglob("*.onnx")) if "PELLUCID_DATA" in os.environ else []

needs_nets = pytest.mark.skipif(
    not NETS, reason="PELLUCID_DATA names no folder with vnncomp2021 in it"
)


@needs_nets
def test_the_three_benchmarks_are_there():
    assert {"acasxu", "mnistfc", "oval21"} <= {net.relative_to(FOLDER).parts[0] for net in NETS}


@needs_nets
@pytest.mark.parametrize("net", NETS, ids=lambda net: net.stem)
def test_a_net_agrees_with_onnxruntime_and_its_gradient_with_differences(net):
    model = onnx.load(net)
    graph = Graph.of(model)
    x = torch.rand(5, *graph.shape, generator=torch.Generator().manual_seed(0))
    due = answers(session(model), x.numpy())
    scale = np.abs(due).max()
    np.testing.assert_allclose(graph(x).detach().numpy(), due, atol=1e-5 * scale, rtol=0)
    each = Graph.of(model, one_by_one=True)
    np.testing.assert_allclose(each(x).detach().numpy(), due, atol=1e-5 * scale, rtol=0)

    graph, x = graph.to(torch.float64), x.double()
    way = torch.randn(x.shape, generator=torch.Generator().manual_seed(1), dtype=x.dtype)
    step = 1e-6 / float(way.abs().max())  # small enough to cross no kink of a ReLU
    with torch.no_grad():
        difference = (graph(x + step * way) - graph(x - step * way)) / (2 * step)
    _, slope = torch.autograd.functional.jvp(graph, x, way)
    torch.testing.assert_close(slope, difference, rtol=1e-4, atol=1e-6 * float(scale))
