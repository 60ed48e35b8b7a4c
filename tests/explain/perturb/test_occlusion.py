"""Occlusion: the mean drop over the windows that cover a pixel, by hand and by brute force."""

import pytest
import torch
from tests.explain.perturb.games import columns, image_box, value_box

from pellucid.errors import UserError
from pellucid.explain import explain
from pellucid.explain.perturb.occlusion import Occlusion


def brute_force(function, x, side, step, shown):
    """Hide each window of each row, and average, pixel by pixel."""
    *_, height, width = x.shape

    def begins(length):
        return [at for at in range(length - side + 1) if at % step == 0 or at == length - side]

    sums, covers = torch.zeros_like(x), torch.zeros_like(x)
    for top in begins(height):
        for left in begins(width):
            z = x.clone()
            z[..., top : top + side, left : left + side] = shown
            drop = (function(x) - function(z))[:, None, None, None]
            sums[..., top : top + side, left : left + side] += drop
            covers[..., top : top + side, left : left + side] += 1
    return sums / covers


@pytest.mark.parametrize(
    ("shape", "window", "stride", "side", "step", "queries"),
    [
        ((1, 8, 8), 0.25, 0.125, 2, 1, 50),
        ((3, 8, 12), 0.5, 0.375, 4, 3, 13),
        ((2, 5, 5), 1.0, 1.0, 5, 5, 2),
    ],
)
def test_it_equals_brute_force(shape, window, stride, side, step, queries):
    draw = torch.Generator().manual_seed(0)
    weights = torch.randn(torch.Size(shape).numel(), 6, generator=draw).double()
    x = torch.rand(3, *shape, generator=draw).double()

    def function(z):
        return (z.flatten(1).double() @ weights).relu().sum(1)

    method = Occlusion(window=window, stride=stride, baseline=0.25)
    said = explain(method, image_box(function, shape), x, columns(3))
    torch.testing.assert_close(said.values, brute_force(function, x, side, step, 0.25))
    assert said.queries.tolist() == [queries] * 3


def test_a_window_shows_the_mean_colour_of_the_image():
    x = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)).double()

    def function(z):
        return z[:, 0].pow(2).sum((1, 2)) + z[:, 2].sum((1, 2))

    said = explain(Occlusion(), image_box(function, (3, 8, 8)), x, columns(2))
    mean = x.mean((2, 3), keepdim=True)
    drops = [
        brute_force(function, row[None], 2, 1, colour[None])
        for row, colour in zip(x, mean, strict=True)
    ]
    torch.testing.assert_close(said.values, torch.cat(drops))


def test_the_numbers_of_a_vector_are_hidden_one_by_one():
    weights, x = torch.tensor([1.0, -2.0, 3.0]), torch.tensor([[2.0, 1.0, -1.0], [0.0, 4.0, 1.0]])
    box = value_box(lambda z: z @ weights, 3)
    said = explain(Occlusion(baseline=(1.0, 0.0, -1.0)), box, x, columns(2))
    torch.testing.assert_close(said.values, weights * (x - torch.tensor([1.0, 0.0, -1.0])))
    assert said.queries.tolist() == [4, 4]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"window": 0.2, "stride": 0.3}, r"must not leave gaps: .*\.$"),
        ({"window": 1.5, "stride": 0.3}, r"must not leave gaps"),
        ({"baseline": 2.0}, r"outside the input's bounds, 0 to 1: .*\.$"),
        ({"baseline": (0.5, 0.5)}, r"2 values: give one, or one for each channel .* are 3\.$"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(fields, words):
    box, x = image_box(lambda z: z.sum((1, 2, 3)), (3, 4, 4)), torch.rand(1, 3, 4, 4)
    with pytest.raises(UserError, match=words):
        explain(Occlusion(**fields), box, x, columns(1))
