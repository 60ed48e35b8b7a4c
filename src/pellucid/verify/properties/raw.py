"""A model by its own inputs and outputs, of which specifications speak."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pellucid.box.answerer import Answerer
from pellucid.box.array_box import ArrayBox
from pellucid.box.preprocessing import TORCH
from pellucid.box.protocols import GRANTS, Access, NoBox, ScoreBox, demand
from pellucid.box.torch_box import TorchBox, digest, evaluating
from pellucid.box.views import VIEWS, Direct
from pellucid.errors import UserError
from pellucid.onnx.graph import Graph
from pellucid.onnx.reading import read
from pellucid.onnx.session import Session
from pellucid.opening import Opened
from pellucid.spec import Spec, Values, Vector


@dataclass(frozen=True, kw_only=True, eq=False)
class Raw:
    """A model without preprocessing, axes in its own order, outputs as they come."""

    box: NoBox  # shows what was granted
    judge: Answerer  # the model as it runs, one row at a time: it decides of counterexamples
    dtype: torch.dtype  # what it takes


@dataclass(frozen=True, kw_only=True, eq=False)
class Alone:
    """A module that is run on one row at a time."""

    module: nn.Module

    def __call__(self, x: NDArray[np.generic]) -> NDArray[np.generic]:
        """The outputs (n, outputs) of x (n, *shape)."""
        with torch.no_grad(), evaluating(self.module):
            rows = torch.from_numpy(x).split(1)
            return np.concatenate([self.module(row).numpy(force=True) for row in rows])

    def fingerprint(self) -> str:
        """A hash of the module."""
        return digest(self.module)


def raw(opened: Opened, access: Access | None = None) -> Raw:
    """An opened model as a specification speaks of it; what was said of its use is left aside.

    A graph's counterexamples are judged by onnxruntime, row by row, where it came from a file.

    Raises:
        AccessDenied: not even its outputs are granted.
        UserError: it takes whole numbers.
    """
    granted = GRANTS[access or ("white" if isinstance(opened.model, nn.Module) else "score")]
    dtype = _dtype(opened)
    if not dtype.is_floating_point:
        raise UserError(f"A property speaks of real inputs, but this model takes {dtype}.")
    shape, last = opened.spec().dense().shape, opened.facts.layout == "hwc"
    spec = Spec(
        input=Vector(shape=(*shape[1:], shape[0]) if last else shape),
        answer=Values(size=opened.outputs),
        rows_per_call=opened.rows_per_call,
    )
    if isinstance(opened.model, nn.Module):
        box: NoBox = TorchBox(module=opened.model, spec=spec, emits="values")
    else:
        box = ArrayBox(model=opened.model, spec=spec, emits="values")
    narrowed = VIEWS[granted](Direct(box))
    demand("A property", ScoreBox, narrowed)
    demand(f"Access {access!r}", granted, box)
    return Raw(box=narrowed, judge=_judge(opened), dtype=dtype)


def _dtype(opened: Opened) -> torch.dtype:
    """The type of number that a model takes; float32 where nobody says."""
    model, said = opened.model, opened.facts.dtype
    if isinstance(model, Graph):
        return model.dtype
    if said is not None:
        return TORCH[said]
    weights = model.parameters() if isinstance(model, nn.Module) else ()
    return next((w.dtype for w in weights if w.is_floating_point()), torch.float32)


def _judge(opened: Opened) -> Answerer:
    model, path = opened.model, Path(opened.reference)
    if isinstance(model, Graph) and path.suffix == ".onnx" and path.is_file():
        return Session(read(path), model.ports.output, one_by_one=True)
    if isinstance(model, Session):
        return model.alone()
    return Alone(module=model) if isinstance(model, nn.Module) else model
