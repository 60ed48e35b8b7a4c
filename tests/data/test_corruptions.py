"""Corruptions against scipy, colorsys and closed forms, and what holds for all of them."""

import colorsys
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter

from pellucid.data.corruptions import CORRUPTIONS, STRENGTHS

BY_NAME = {kind.name: kind for kind in CORRUPTIONS}
SHAPES = ((1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 70, 65))
EACH = pytest.mark.parametrize("kind", CORRUPTIONS, ids=BY_NAME)


def images(shape, n=5, seed=0):
    return torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed))


def done(name, x, strength, low=0.0, high=1.0, seed=0):
    return BY_NAME[name](x, strength, low=low, high=high, seed=seed)


@EACH
@pytest.mark.parametrize("shape", SHAPES)
def test_a_row_is_the_same_bits_alone_among_others_and_in_another_order(kind, shape):
    x = images(shape)
    whole = kind(x, 5, low=0.0, high=1.0, seed=1)
    turned = kind(x.flip(0), 5, low=0.0, high=1.0, seed=1).flip(0)
    alone = torch.cat([kind(one[None], 5, low=0.0, high=1.0, seed=1) for one in x])
    assert torch.equal(whole, turned)
    assert torch.equal(whole, alone)
    assert whole.shape == x.shape
    assert whole.dtype == x.dtype


@EACH
@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (0.0, 255.0), (-2.5, -0.5)])
def test_the_units_of_the_user_are_kept(kind, low, high):
    x = images((3, 16, 16))
    plain = kind(x, 3, low=0.0, high=1.0, seed=0)
    mapped = kind(low + (high - low) * x, 3, low=low, high=high, seed=0)
    assert mapped.min() >= low
    assert mapped.max() <= high
    if kind.name not in ("noise", "shift"):  # which draw by the content of a row
        back = (mapped - low) / (high - low)
        assert torch.allclose(back, plain, atol=1.1 / 255 if kind.name == "jpeg" else 1e-5)


@EACH
def test_the_global_generator_and_the_images_are_left_alone(kind):
    x, state = images((1, 12, 12)), torch.random.get_rng_state()
    before = x.clone()
    kind(x, 5, low=0.0, high=1.0, seed=0)
    assert torch.equal(x, before)
    assert torch.equal(torch.random.get_rng_state(), state)


@EACH
@pytest.mark.parametrize("shape", [(3, 32, 32), (3, 96, 96)])
def test_what_is_stronger_changes_more(kind, shape):
    bands = torch.linspace(0, 1, shape[-1]) * torch.ones(4, *shape)  # smooth, as photographs are
    x = 0.1 + 0.5 * bands + 0.1 * images(shape, 4)
    moved = [
        float((kind(x, strength, low=0.0, high=1.0, seed=0) - x).abs().mean())
        for strength in range(1, STRENGTHS + 1)
    ]
    assert moved == sorted(moved)
    assert 0 < moved[0] < moved[-1] < 0.5


@pytest.mark.parametrize(("shape", "sigma"), [((3, 32, 32), 0.08), ((3, 65, 65), 0.18)])
def test_noise_has_its_deviation_and_differs_by_row_and_seed(shape, sigma):
    x = 0.5 + 0.001 * images(shape, 20)
    noise = done("noise", x, 3) - x
    assert float(noise.std()) == pytest.approx(sigma, rel=0.02)
    assert not torch.allclose(noise[0], noise[1], atol=0.01)
    assert not torch.equal(done("noise", x, 3, seed=1), done("noise", x, 3))
    weaker = done("noise", x, 1) - x  # the same draw
    assert torch.corrcoef(torch.stack([noise.flatten(), weaker.flatten()]))[0, 1] > 0.99


@pytest.mark.parametrize("strength", [1, 3, 5])
@pytest.mark.parametrize("shape", SHAPES)
def test_blur_is_scipy_s_gaussian_filter(shape, strength):
    x = images(shape, 2)
    sigma = (BY_NAME["blur"].small if min(shape[1:]) <= 64 else BY_NAME["blur"].large)[strength - 1]
    due = gaussian_filter(x.double().numpy(), sigma, mode="nearest", truncate=4.0, axes=(2, 3))
    np.testing.assert_allclose(done("blur", x, strength), due, atol=1e-6)


def test_brightness_raises_the_value_of_hsv():
    x = images((3, 4, 4), 3)
    x[0, :, 0, 0] = 0.0
    for pixel, got in zip(
        x.movedim(1, -1).reshape(-1, 3).tolist(),
        done("brightness", x, 5).movedim(1, -1).reshape(-1, 3).tolist(),
        strict=True,
    ):
        hue, saturation, value = colorsys.rgb_to_hsv(*pixel)
        due = colorsys.hsv_to_rgb(hue, saturation, min(value + 0.3, 1))
        assert got == pytest.approx(due, abs=1e-6)


def test_brightness_and_contrast_of_a_flat_and_of_a_grey_image():
    flat = torch.full((1, 1, 8, 8), 0.4)
    assert torch.allclose(done("brightness", flat, 3), torch.tensor(0.55))
    assert torch.allclose(done("contrast", flat, 5), torch.tensor(0.4))
    x = images((3, 8, 8))
    mean = x.mean((2, 3), keepdim=True)
    assert torch.allclose(done("contrast", x, 3), mean + 0.4 * (x - mean), atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "mode", "quality"),
    [
        ((1, 28, 28), "L", 58),
        ((3, 32, 32), "RGB", 58),
        ((3, 70, 65), "RGB", 15),
    ],
)
def test_jpeg_is_what_pillow_writes(shape, mode, quality):
    x = images(shape, 1)
    shades = (x[0] * 255).round().byte().movedim(0, -1).numpy()
    file = BytesIO()
    Image.fromarray(shades.squeeze() if mode == "L" else shades).save(file, "JPEG", quality=quality)
    read = Image.open(file)
    assert read.mode == mode
    got = done("jpeg", x, 3)[0].movedim(0, -1).numpy() * 255
    np.testing.assert_allclose(got.squeeze(), np.asarray(read), atol=1e-3)


@pytest.mark.parametrize(
    ("size", "strength", "pixels"), [(8, 1, 1), (8, 5, 2), (28, 5, 5), (32, 3, 3), (224, 1, 7)]
)
def test_a_shift_is_by_whole_pixels_in_four_directions_with_the_edge_repeated(
    size, strength, pixels
):
    x = images((1, size, size), 30)
    got = done("shift", x, strength)
    edge = np.pad(x.numpy(), ((0, 0), (0, 0), (pixels, pixels), (pixels, pixels)), mode="edge")
    ways = []
    for one, wide in zip(got.numpy(), edge, strict=True):
        corners = ((0, pixels), (2 * pixels, pixels), (pixels, 0), (pixels, 2 * pixels))
        fits = [
            way
            for way, (top, left) in enumerate(corners)
            if np.array_equal(one, wide[:, top : top + size, left : left + size])
        ]
        assert len(fits) == 1
        ways += fits
    assert {*ways} == {0, 1, 2, 3}


def test_only_jpeg_asks_for_grey_or_colour():
    for kind in CORRUPTIONS:
        assert kind.takes(1)
        assert kind.takes(3)
        assert kind.takes(4) == (kind.name != "jpeg")
        if kind.takes(4):
            assert kind(images((4, 8, 8)), 5, low=0.0, high=1.0, seed=0).shape == (5, 4, 8, 8)
