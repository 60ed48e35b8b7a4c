"""Images made larger or smaller, an axis at a time: nearest and linear interpolation."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from math import floor

import torch
from torch import Tensor

from pellucid.onnx.operators.call import Call, Function, Operator, limited, promoted


@dataclass(frozen=True, kw_only=True)
class Axis:
    """How the places of a resized axis are counted."""

    size: int  # places now
    resized: int  # places then
    scale: float  # as declared: the quotient of both, but for rounding


def _half_pixel(places: Tensor, axis: Axis) -> Tensor:
    return (places + 0.5) / axis.scale - 0.5


def _half_pixel_of_many(places: Tensor, axis: Axis) -> Tensor:
    return _half_pixel(places, axis) if axis.resized > 1 else torch.zeros_like(places)


def _half_pixel_symmetric(places: Tensor, axis: Axis) -> Tensor:
    whole = axis.resized / (axis.scale * axis.size)
    return axis.size / 2 * (1 - whole) + _half_pixel(places, axis)


def _half_pixel_ahead(places: Tensor, axis: Axis) -> Tensor:
    return (places + 0.5) / axis.scale


def _align_corners(places: Tensor, axis: Axis) -> Tensor:
    return places * ((axis.size - 1) / max(axis.resized - 1, 1))


def _asymmetric(places: Tensor, axis: Axis) -> Tensor:
    return places / axis.scale


COORDINATES: dict[str, Callable[[Tensor, Axis], Tensor]] = {
    "align_corners": _align_corners,
    "asymmetric": _asymmetric,
    "half_pixel": _half_pixel,
    "half_pixel_symmetric": _half_pixel_symmetric,
    "pytorch_half_pixel": _half_pixel_of_many,
    "tf_half_pixel_for_nn": _half_pixel_ahead,
}


def _floor(at: Tensor, _axis: Axis) -> Tensor:
    return at.floor()


def _ceil(at: Tensor, _axis: Axis) -> Tensor:
    return at.ceil()


def _half_down(at: Tensor, _axis: Axis) -> Tensor:
    return torch.ceil(at - 0.5)


def _half_up(at: Tensor, _axis: Axis) -> Tensor:
    return torch.floor(at + 0.5)


def _before_opset_11(at: Tensor, axis: Axis) -> Tensor:
    # the standard was silent; onnxruntime does this
    return at.ceil() if axis.scale < 1 else at.floor()


ROUNDINGS: dict[str, Callable[[Tensor, Axis], Tensor]] = {
    "before_opset_11": _before_opset_11,
    "ceil": _ceil,
    "floor": _floor,
    "round_prefer_ceil": _half_up,
    "round_prefer_floor": _half_down,
}


def upsample(call: Call) -> Function:
    """Resizing as it was before opset 11: from the first place on, by scales."""
    mode = call.text("mode", "nearest")
    _check(call, mode, ("nearest", "linear"))
    return partial(
        _by_scales, linear=mode == "linear", coordinates="asymmetric", rounding="before_opset_11"
    )


def resize(call: Call) -> Function:
    """Resizing by scales or to sizes."""
    if call.version < 11:
        return upsample(call)
    mode = call.text("mode", "nearest")
    coordinates = call.text("coordinate_transformation_mode", "half_pixel")
    rounding = call.text("nearest_mode", "round_prefer_floor")
    _check(call, mode, ("nearest", "linear"))
    _check(call, coordinates, COORDINATES)
    _check(call, rounding, ROUNDINGS)
    _check(call, call.text("keep_aspect_ratio_policy", "stretch"), ("stretch",))
    if call.integer("antialias"):
        raise call.unknown("with antialias=1")
    return partial(
        _resize,
        linear=mode == "linear",
        coordinates=coordinates,
        rounding=rounding,
        only=call.integers("axes"),
        rows=call.rows,
    )


def _check(call: Call, word: str, known: Iterable[str]) -> None:
    if word not in known:
        raise call.unknown(f"with {word!r}")


def _by_scales(
    x: Tensor, scales: list[float], *, linear: bool, coordinates: str, rounding: str
) -> Tensor:
    plan = _to_scales(x, list(range(x.ndim)), scales)
    return _resized(x, plan, linear, coordinates, rounding)


def _resize(
    x: Tensor,
    _region: list[float] | None,
    scales: list[float] | None = None,
    sizes: list[int] | None = None,
    *,
    linear: bool,
    coordinates: str,
    rounding: str,
    only: list[int] | None,
    rows: int | None,
) -> Tensor:
    axes = list(range(x.ndim)) if only is None else [axis % x.ndim for axis in only]
    plan = _to_sizes(x, axes, sizes, rows) if sizes else _to_scales(x, axes, scales or [])
    return _resized(x, plan, linear, coordinates, rounding)


def _to_sizes(x: Tensor, axes: list[int], sizes: list[int], rows: int | None) -> dict[int, Axis]:
    """The axes by the sizes they are to have; the row axis of a file for fixed rows stays."""
    return {
        axis: Axis(size=x.shape[axis], resized=size, scale=size / x.shape[axis])
        for axis, size in zip(axes, sizes, strict=True)
        if not (axis == 0 and size == rows)
    }


def _to_scales(x: Tensor, axes: list[int], scales: list[float]) -> dict[int, Axis]:
    return {
        axis: Axis(size=x.shape[axis], resized=floor(x.shape[axis] * scale), scale=scale)
        for axis, scale in zip(axes, scales, strict=True)
    }


def _resized(
    x: Tensor, plan: dict[int, Axis], linear: bool, coordinates: str, rounding: str
) -> Tensor:
    limited([plan[i].resized if i in plan else size for i, size in enumerate(x.shape)], of=x)
    for axis, counts in plan.items():
        x = _along(x, axis, counts, linear, coordinates, rounding)
    return x


def _along(
    x: Tensor, axis: int, counts: Axis, linear: bool, coordinates: str, rounding: str
) -> Tensor:
    """The tensor resized along one axis."""
    if counts.size == counts.resized and counts.scale == 1:
        return x
    places = torch.arange(counts.resized, dtype=torch.float32, device=x.device)
    at = COORDINATES[coordinates](places, counts)
    if not linear:
        nearest = ROUNDINGS[rounding](at, counts).clamp(0, counts.size - 1)
        return x.index_select(axis, nearest.long())
    at = at.clamp(0, counts.size - 1)
    low = at.floor()
    share = (at - low).to(x.dtype).reshape(-1, *[1] * (x.ndim - 1 - axis))
    below = x.index_select(axis, low.long())
    above = x.index_select(axis, (low.long() + 1).clamp_max(counts.size - 1))
    return torch.lerp(below, above, share)


TABLE = {
    "Resize": Operator(build=resize, numbers=(1, 2, 3)),
    "Upsample": Operator(build=upsample, numbers=(1,), carried=promoted(scales=1)),
}
