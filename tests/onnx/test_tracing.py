"""Torch modules written as graphs."""

import pytest
import torch
from torch import nn

from pellucid.models import builtin
from pellucid.onnx.tracing import Untraceable, traced


def test_a_traced_network_answers_as_the_module_does_and_the_module_is_left_as_it_was():
    module = builtin("digits-cnn")[0].train()
    graph = traced(module, (1, 8, 8))
    assert all(part.training for part in module.modules())
    x = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(graph(x), module.eval()(x), rtol=1e-4, atol=1e-5)


def test_weights_in_double_precision_are_traced_so():
    module = nn.Linear(3, 2).double()
    x = torch.rand(4, 3, dtype=torch.double)
    torch.testing.assert_close(traced(module, (3,))(x), module(x))


class Strange(nn.Module):
    def forward(self, x):
        return torch.linalg.svd(x.unflatten(1, (2, 2)))[1]


def test_what_cannot_be_written_as_a_graph_is_said():
    with pytest.raises(Untraceable, match=r"\w"):
        traced(Strange(), (4,))
