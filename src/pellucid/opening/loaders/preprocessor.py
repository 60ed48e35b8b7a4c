"""Reads a hub preprocessor's settings: what images it feeds the model, in the user's units."""

from collections.abc import Mapping
from math import isclose, isfinite

import numpy as np

from pellucid.opening.facts import Facts
from pellucid.opening.found import NoModel

Settings = Mapping[str, object]
BYTE = 255.0  # the greatest value of a pixel before preprocessing


def image_facts(settings: Settings, told: Facts) -> Facts:
    """Bounds, mean and std for images in the user's units.

    A preprocessor takes pixels from 0 to 255 to (factor pixel - offset - mean) / std. Users have
    the same images between bounds of their own: those that are told, else 0 and 1 where the
    preprocessor rescales, as nearly all do, and 0 and 255 where it does not.

    Raises:
        NoModel: a setting is no number where one is due.
    """
    rescales = settings.get("do_rescale", True) is not False
    factor = _numbers(settings, "rescale_factor", (1 / BYTE,))[0] if rescales else 1.0
    offset = 1.0 if rescales and settings.get("rescale_offset") is True else 0.0
    low, high = _bounds(told) or ((0.0, 1.0) if rescales else (0.0, BYTE))
    scale = factor * BYTE / (high - low)
    scale = 1.0 if isclose(scale, 1.0, rel_tol=1e-6) else scale  # 1 / 255 is written in few digits
    mean, std = _normalisation(settings, told)
    if settings.get("include_top") is True:  # EfficientNet's, which divides by std once more
        std = tuple(np.multiply(std, _numbers(settings, "image_std", (1.0,))).tolist())
    mean = tuple(low + (offset + number) / scale for number in mean)
    std = tuple(number / scale for number in std)
    if (mean, std) == ((0.0,), (1.0,)):
        return Facts(bounds=(low, high))
    return Facts(bounds=(low, high), mean=mean, std=std)


def image_size(settings: Settings) -> tuple[int, int] | None:
    """Height and width of the images that it feeds the model; None: they may vary."""
    size = settings.get("size")
    if settings.get("do_center_crop", True) is not False and "crop_size" in settings:
        size = settings["crop_size"]
    elif settings.get("do_resize", True) is False:
        return None
    if isinstance(size, Mapping):
        if "crop_pct" in settings:  # resized a little larger, then cropped to the size itself
            size = size.get("shortest_edge", size)
        if isinstance(size, Mapping):
            size = (size.get("height"), size.get("width"))
    return pair(size)


def pair(size: object) -> tuple[int, int] | None:
    """Height and width, from two numbers or one for both; None if it is neither."""
    match size:
        case int():
            return size, size
        case (int(height), int(width)) | [int(height), int(width)]:
            return height, width
        case _:
            return None


def _normalisation(settings: Settings, told: Facts) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The mean and std of the preprocessor itself; 0 and 1 if it does not normalise."""
    none = (0.0,), (1.0,)
    if settings.get("do_normalize", "image_mean" in settings) is False:
        return none
    if "image_mean" in settings and "image_std" in settings:
        return _numbers(settings, "image_mean", none[0]), _numbers(settings, "image_std", none[1])
    if told.mean is None or told.std is None:
        raise NoModel(
            "preprocessor_config.json says do_normalize, but not by which image_mean and image_std:"
            " declare mean and std."
        )
    return none  # what is told goes before what stands here


def _bounds(told: Facts) -> tuple[float, float] | None:
    """The bounds that are told, if images can lie between them."""
    if told.bounds is None or not told.bounds[0] < told.bounds[1]:
        return None
    return told.bounds if all(map(isfinite, told.bounds)) else None


def _numbers(settings: Settings, name: str, otherwise: tuple[float, ...]) -> tuple[float, ...]:
    """A setting of one number or more."""
    value = settings.get(name)
    if value is None:
        return otherwise
    given = value if isinstance(value, list) else [value]
    numbers = tuple(float(number) for number in given if isinstance(number, int | float))
    if not numbers or len(numbers) < len(given) or not all(map(isfinite, numbers)):
        raise NoModel(
            f"In preprocessor_config.json, {name} is {value!r}, where numbers are due: mend it."
        )
    return numbers
