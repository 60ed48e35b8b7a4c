"""A preprocessor's settings in the user's units: what the model sees is what it would have seen."""

import pytest
import torch

from pellucid.errors import UserError
from pellucid.opening.facts import Facts
from pellucid.opening.loaders.preprocessor import image_facts, image_size
from pellucid.opening.opened import preprocessing

MEAN = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.3, 0.4]}


def by_hand(pixels, settings):
    """What transformers does to pixels from 0 to 255."""
    x = pixels
    if settings.get("do_rescale", True):
        x = x * settings.get("rescale_factor", 1 / 255) - int(settings.get("rescale_offset", 0))
    if settings.get("do_normalize", "image_mean" in settings):
        mean, std = (torch.tensor(settings[k])[:, None, None] for k in ("image_mean", "image_std"))
        x = (x - mean) / std
    if settings.get("include_top", False):
        x = x / torch.tensor(settings["image_std"])[:, None, None]
    return x


@pytest.mark.parametrize(
    "settings",
    [
        {},
        MEAN,
        MEAN | {"do_rescale": True, "rescale_factor": 0.00392156862745098},
        MEAN | {"do_rescale": False},
        MEAN | {"do_normalize": False},
        MEAN | {"include_top": True},
        MEAN | {"include_top": True, "do_normalize": False},
        MEAN | {"rescale_factor": 1 / 127.5, "rescale_offset": True},
        {"rescale_factor": 1 / 127.5, "rescale_offset": True, "do_normalize": False},
        {"do_rescale": False, "do_normalize": False},
    ],
)
@pytest.mark.parametrize("bounds", [None, (0.0, 1.0), (0.0, 255.0), (-1.0, 1.0)])
def test_the_model_sees_the_same_numbers(settings, bounds):
    facts = image_facts(settings, Facts(bounds=bounds))
    low, high = facts.bounds
    assert bounds in (None, facts.bounds)
    pixels = torch.randint(0, 256, (4, 3, 2, 2), generator=torch.Generator().manual_seed(0))
    x = low + (high - low) * pixels.double() / 255
    got = preprocessing(facts)(x, (3, 2, 2))
    torch.testing.assert_close(got, by_hand(pixels.double(), settings), rtol=1e-6, atol=1e-6)


def test_bounds_that_nobody_tells():
    assert image_facts({}, Facts()).bounds == (0.0, 1.0)
    assert image_facts({"do_rescale": False}, Facts()).bounds == (0.0, 255.0)
    assert image_facts(MEAN, Facts()).mean == (0.5, 0.4, 0.3)  # to the last digit


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        ({}, None),
        ({"size": 8}, (8, 8)),
        ({"size": {"height": 8, "width": 9}}, (8, 9)),
        ({"size": {"shortest_edge": 9}, "crop_size": 8}, (8, 8)),
        ({"size": {"shortest_edge": 9}, "crop_size": {"height": 7, "width": 8}}, (7, 8)),
        ({"size": 9, "crop_size": 8, "do_center_crop": False}, (9, 9)),
        ({"size": {"shortest_edge": 8}}, None),
        ({"size": {"shortest_edge": 8}, "crop_pct": 0.9}, (8, 8)),
        ({"size": 8, "do_resize": False}, None),
        ({"size": "large"}, None),
    ],
)
def test_sizes(settings, size):
    assert image_size(settings) == size


@pytest.mark.parametrize("value", [["a"], [], "x", [float("nan")], {"a": 1}])
def test_settings_that_are_no_numbers(value):
    with pytest.raises(UserError, match="where numbers are due"):
        image_facts({"image_mean": value, "image_std": [1.0]}, Facts())


def test_a_normalisation_without_numbers_must_be_declared():
    settings = {"do_normalize": True, "image_std": [0.5]}
    with pytest.raises(UserError, match="declare mean and std"):
        image_facts(settings, Facts())
    assert image_facts(settings, Facts(mean=(0.5,), std=(0.5,))).bounds == (0.0, 1.0)
