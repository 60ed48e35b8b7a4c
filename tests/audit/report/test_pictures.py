"""Pictures hold what the arrays hold."""

import base64
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from pellucid.audit.report import pictures


def pixels(uri):
    raw = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(BytesIO(raw)))


@pytest.mark.parametrize("channels", [1, 3])
def test_small_pictures_are_repeated_and_not_blurred(channels):
    values = np.random.default_rng(0).uniform(-2, 6, (channels, 8, 5))
    shown = pixels(pictures.picture(values, -2.0, 6.0))
    assert shown.shape[:2] == (8 * 26, 5 * 26)
    expected = np.round(255 * (np.moveaxis(values, 0, -1) + 2) / 8)
    expected = expected.repeat(26, axis=0).repeat(26, axis=1)
    assert np.array_equal(shown, expected[..., 0] if channels == 1 else expected)


def test_large_pictures_are_made_smaller():
    values = np.random.default_rng(0).uniform(0, 1, (3, 300, 600))
    shown = pixels(pictures.picture(values, 0.0, 1.0))
    assert shown.shape == (96, 192, 3)
    assert set(np.unique(shown)) <= set(np.unique(np.round(255 * values)))


def test_values_out_of_bounds_or_missing_are_clipped():
    shown = pixels(pictures.picture(np.array([[[-9.0, np.nan], [1.0, 9.0]]]), 0.0, 1.0))
    assert shown[[0, 0, -1, -1], [0, -1, 0, -1]].tolist() == [0, 0, 255, 255]
    assert pixels(pictures.picture(np.ones((1, 2, 2)), 1.0, 1.0)).max() == 0


@pytest.mark.parametrize(
    ("largest", "factor"), [(0.5, 1), (0.25, 2), (0.2, 2), (0.01, 32), (0.9, 1), (0.0, 1)]
)
def test_a_change_is_amplified_as_far_as_it_fits(largest, factor):
    change = np.array([[[0.0, -largest], [largest, largest / 2]]])
    assert pictures.amplification(change, 0.0, 1.0) == factor
    shown = pixels(pictures.change(change, 0.0, 1.0, float(factor)))
    assert shown[0, 0] == 128
    assert shown[-1, 0] == min(round(255 * (0.5 + factor * largest)), 255)


def test_an_attribution_is_orange_for_and_blue_against():
    values = np.array([[[2.0, -1.0], [0.0, 1.0]], [[2.0, -1.0], [0.0, 1.0]]])
    shown = pixels(pictures.attribution(values)).astype(int)
    for_, against = shown[0, 0], shown[0, -1]
    assert for_.tolist() == pictures.WARM.tolist()
    assert against.tolist() == np.round(255 + 0.5 * (pictures.COOL - 255)).tolist()
    assert shown[-1, 0].tolist() == [255, 255, 255]
    assert pixels(pictures.attribution(np.zeros((1, 2, 2)))).min() == 255


@pytest.mark.parametrize(
    ("shape", "shown"),
    [((1, 8, 8), True), ((3, 32, 32), True), ((2, 8, 8), False), ((64,), False),
     ((1, 1, 5), False), ((8, 8), False)],
)  # fmt: skip
def test_what_is_a_picture(shape, shown):
    assert pictures.is_picture(shape) == shown
