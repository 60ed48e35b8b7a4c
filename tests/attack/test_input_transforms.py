"""Input transforms against torch's own resizing, padding and convolution."""

import pytest
import torch
from torch.nn import functional

from pellucid.attack.input_transforms import Diversity, InputTransforms, Smoothing
from pellucid.errors import UserError
from pellucid.rng import Streams, ids_of


def streams(x):
    return Streams(3, ids_of(x), x)


def pictures(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(("height", "width"), [(20, 20), (9, 24)])
def test_diversity_is_resizing_and_padding_row_by_row(height, width):
    x, ground = pictures(6, 3, height, width), 0.25
    seen = Diversity(probability=1.0, rate=0.6, ground=ground)(x[None], streams(x))[0]
    draws = streams(x).uniform(1, (4,))[0]
    for row, (_, size, top, left) in enumerate(draws.tolist()):
        h, w = (int(0.6 * n) + int(size * (n - int(0.6 * n))) for n in (height, width))
        up, aside = int(top * (height - h)), int(left * (width - w))
        small = functional.interpolate(x[row : row + 1], size=(h, w), mode="bilinear")
        around = (aside, width - w - aside, up, height - h - up)
        due = functional.pad(small, around, value=ground)[0]
        torch.testing.assert_close(seen[row], due, rtol=0, atol=1e-6)


def test_a_picture_is_left_as_it_is_with_the_rest_of_the_probability():
    x = pictures(200, 1, 6, 6)
    seen = Diversity(probability=0.3, rate=0.5, ground=0.0)(x[None], streams(x))[0]
    same = (seen == x).flatten(1).all(1)
    draws = streams(x).uniform(1, (4,))[0]
    assert torch.equal(same, draws[:, 0] >= 0.3)
    assert 100 < int(same.sum()) < 180


def test_views_have_the_same_bits_in_any_company():
    x = pictures(7, 3, 16, 16).float().requires_grad_()
    transforms = InputTransforms(diversity=Diversity(probability=0.8), scales=3)
    views = transforms.views(x, streams(x))
    assert views.shape == (3, 7, 3, 16, 16)
    (back,) = torch.autograd.grad(views.square().sum(), x)
    for row in range(7):
        alone = x[row : row + 1].detach().requires_grad_()
        view = transforms.views(alone, streams(alone))
        assert torch.equal(view[:, 0], views[:, row])
        assert torch.equal(torch.autograd.grad(view.square().sum(), alone)[0][0], back[row])


def test_scales_halve():
    x = pictures(2, 4)
    views = InputTransforms(scales=3).views(x, streams(x))
    assert torch.equal(views, torch.stack([x, x / 2, x / 4]))


@pytest.mark.parametrize("width", [3, 15])
def test_smoothing_is_a_convolution_with_a_gaussian(width):
    gradient = pictures(4, 3, 12, 10) - 0.5
    bell = torch.exp(-(torch.linspace(-3, 3, width, dtype=torch.float64) ** 2) / 2)
    kernel = torch.outer(bell, bell)
    kernel = (kernel / kernel.sum()).expand(3, 1, -1, -1)
    due = functional.conv2d(gradient, kernel, padding="same", groups=3)
    torch.testing.assert_close(Smoothing(width=width)(gradient), due, rtol=0, atol=1e-12)


def test_smoothing_has_the_same_bits_in_any_company():
    gradient = pictures(5, 3, 9, 7).float() - 0.5
    whole = Smoothing(width=15)(gradient)
    for row in range(5):
        assert torch.equal(Smoothing(width=15)(gradient[row : row + 1])[0], whole[row])


def test_by_default_nothing_is_drawn_and_nothing_changes():
    x = pictures(3, 2, 5, 5)
    rng, transforms = streams(x), InputTransforms()
    assert torch.equal(transforms.views(x, rng), x[None])
    assert torch.equal(transforms.smoothing(x), x)
    assert torch.equal(rng.uniform(1, (2,)), streams(x).uniform(1, (2,)))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Diversity(probability=1.5), "from 0 to 1"),
        (lambda: Diversity(rate=0.0), "rate above 0"),
        (lambda: Smoothing(width=4), "odd number"),
        (lambda: InputTransforms(scales=0), "one scale or more"),
    ],
)
def test_settings_that_cannot_be_are_refused(make, text):
    with pytest.raises(UserError, match=text):
        make()
