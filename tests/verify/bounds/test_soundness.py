"""Random networks of every family, exported and read back: no point leaves the bounds."""

import pytest
import torch
from tests.onnx.generated_modules import drawn
from tests.onnx.test_exports import exported_by_tracing
from tests.verify.bounds.points import answers, assert_within, points

from pellucid.onnx.graph import Graph
from pellucid.verify.bounds.crown import crown
from pellucid.verify.bounds.interval import interval
from pellucid.verify.bounds.values import NoBounds

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the exporter
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),
]
NORMALISED = {"GroupNormalization", "InstanceNormalization", "LayerNormalization"}


def check(seed, dtype, radius):
    found = drawn(seed)
    model = exported_by_tracing(found, seed)
    graph = Graph.of(model).to(dtype)
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2, *found.shape, generator=generator).to(dtype)
    low, high = x - radius, x + radius
    if refused := {node.operator for node in graph.nodes} & NORMALISED:
        with pytest.raises(NoBounds, match="|".join(refused)):
            interval(graph, low, high)
        return
    plain = interval(graph, low, high)
    linear = crown(graph, low, high)
    one_by_one = Graph.of(model, one_by_one=True).to(dtype)
    out = answers(one_by_one, points(one_by_one, low, high))
    assert_within(plain, out)
    assert_within(linear, out)
    assert bool((linear.low >= plain.low).all() & (linear.high <= plain.high).all())


@pytest.mark.parametrize("seed", range(10))
def test_no_point_leaves_the_bounds(seed):
    check(seed, (torch.float32, torch.float64)[seed // 5], 0.02)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 60))
def test_no_point_leaves_the_bounds_of_many(seed):
    check(seed, (torch.float32, torch.float64)[seed // 5 % 2], (1e-6, 0.02, 0.2)[seed // 10 % 3])
