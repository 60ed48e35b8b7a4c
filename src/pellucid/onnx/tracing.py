"""A torch module written down as a graph, by running it once."""

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import nn

from pellucid.box.torch_box import evaluating
from pellucid.errors import UserError
from pellucid.onnx.graph import Graph
from pellucid.onnx.importing import load
from pellucid.onnx.reading import read


class Untraceable(UserError):
    """A module that cannot be written as a graph of known operators, or answers otherwise then."""


def traced(module: nn.Module, shape: tuple[int, ...]) -> Graph:
    """The graph of a module that takes rows of this shape, in evaluation mode.

    The module is exported to ONNX in memory and imported again, so that the graph has been found
    to answer as onnxruntime does. Control flow that depends on the input is lost.

    Raises:
        Untraceable: the exporter fails, an operator is unknown, or the graph answers otherwise.
    """
    weight = next(module.parameters(), torch.zeros(()))
    example = torch.zeros(1, *shape, dtype=weight.dtype)
    try:
        with TemporaryDirectory() as folder, evaluating(module), warnings.catch_warnings():
            file = Path(folder) / "traced.onnx"
            warnings.simplefilter("ignore")  # the exporter's about itself, and its tracer's
            torch.onnx.export(
                module,
                (example,),
                file,
                dynamo=False,  # the other exporter needs packages of its own
                input_names=["x"],
                output_names=["y"],
                dynamic_axes={"x": {0: "n"}, "y": {0: "n"}},
            )
            graph, notes = load(read(file), shape=shape)
    except (RuntimeError, TypeError, ValueError, torch.onnx.OnnxExporterError, UserError) as error:
        raise Untraceable(str(error).strip().partition("\n")[0]) from error
    if not isinstance(graph, Graph):
        raise Untraceable(" ".join(notes))
    return graph
