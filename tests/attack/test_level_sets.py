"""Confidence on segments and triangles, of a linear model whose logit is known at every point."""

import torch
from torch import nn

import pellucid
from pellucid.attack.level_sets import on_segment, on_triangle


def setting():
    model = nn.Linear(3, 2).double()
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.0, 0, 0], [1, -2, 0.5]]))
        model.bias.zero_()
    box = pellucid.open(model, access="score", shape=(3,), emits="logits")
    corners = torch.randn(3, 4, 3, generator=torch.Generator().manual_seed(0)).double()
    logit = corners @ model.weight[1].detach()
    return box, corners, logit


def test_on_a_segment_a_linear_logit_is_linear():
    box, corners, logit = setting()
    found = on_segment(box, torch.ones(4, dtype=torch.long), corners[0], corners[1], points=5)
    share = torch.linspace(0, 1, 5).double()[:, None]
    assert torch.allclose(found, ((1 - share) * logit[0] + share * logit[1]).sigmoid())
    other = on_segment(box, torch.zeros(4, dtype=torch.long), corners[0], corners[1], points=5)
    assert torch.allclose(found + other, torch.ones(5, 4).double())


def test_on_a_triangle_every_point_is_a_mixture_of_corners_and_counted_once():
    box, corners, logit = setting()
    found = on_triangle(box, torch.ones(4, dtype=torch.long), *corners, points=4)
    due = [
        ((3 - i - j) * logit[0] + i * logit[1] + j * logit[2]) / 3
        for i in range(4)
        for j in range(4)
        if i + j < 4
    ]
    assert found.shape == (10, 4)
    assert torch.allclose(found, torch.stack(due).sigmoid(), atol=1e-6)
