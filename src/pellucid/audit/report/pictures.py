"""Inputs and attributions as small pictures that stand in the page itself."""

import base64
from io import BytesIO

import numpy as np
from jaxtyping import Float, Num, UInt8
from numpy import ndarray
from PIL import Image

SIDE = 128  # pixels that the shorter side has at least, so that no viewer smooths small pictures
LONGEST = 192  # and the longer side at most: beyond it pixels are left out
COOL = np.array([32, 102, 172])  # of attributions against; blue and orange differ for all eyes
WARM = np.array([201, 84, 0])  # and for


def is_picture(shape: tuple[int, ...]) -> bool:
    """Whether an input of this shape can be shown as a grey or colour picture."""
    return len(shape) == 3 and shape[0] in (1, 3) and min(shape[1:]) > 1


def picture(values: Num[ndarray, "c h w"], low: float, high: float) -> str:
    """A data URI of a grey or colour picture whose values lie between two bounds."""
    span = high - low if high > low else 1.0
    unit = np.clip((np.nan_to_num(values) - low) / span, 0, 1)
    return _uri(np.round(255 * np.moveaxis(unit, 0, -1)).astype(np.uint8))


def amplification(change: Num[ndarray, "*shape"], low: float, high: float) -> float:
    """The factor, in steps of two, at which the largest change still fits half the range."""
    largest = float(np.abs(change).max(initial=0.0))
    if largest == 0.0 or high <= low:
        return 1.0
    return float(2.0 ** max(0, np.floor(np.log2((high - low) / 2 / largest))))


def change(values: Num[ndarray, "c h w"], low: float, high: float, factor: float) -> str:
    """A data URI of a change times a factor, where middle grey is no change."""
    middle = (low + high) / 2
    return picture(middle + factor * values, low, high)


def attribution(values: Float[ndarray, "c h w"]) -> str:
    """A data URI of an attribution summed over channels: orange for, blue against, white none."""
    summed = np.nan_to_num(values.sum(axis=0))
    largest = float(np.abs(summed).max(initial=0.0))
    unit = summed / largest if largest > 0 else summed
    ends = np.where(unit[..., None] >= 0, WARM, COOL)
    mixed = 255 + np.abs(unit)[..., None] * (ends - 255)
    return _uri(np.round(mixed).astype(np.uint8))


def _uri(pixels: UInt8[ndarray, "h w c"]) -> str:
    height, width = pixels.shape[:2]
    times = max(1, -(-SIDE // min(height, width)))
    scale = min(times, LONGEST / max(height, width)) if times == 1 else times
    shown = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    stream = BytesIO()
    shown.resize(size, Image.Resampling.NEAREST).save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
