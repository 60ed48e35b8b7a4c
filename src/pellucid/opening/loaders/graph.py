"""Opens ONNX files."""

from pathlib import Path

from pellucid.box.preprocessing import dtype_called
from pellucid.onnx.importing import load as import_graph
from pellucid.onnx.ports import ports
from pellucid.onnx.reading import read
from pellucid.opening.facts import Facts
from pellucid.opening.found import Found


def load(reference: str, told: Facts) -> Found:
    """The graph in a file, checked against onnxruntime, and what it declares.

    Raises:
        UserError: in a sentence, for a file that is no graph that can be run.
    """
    graph = read(Path(reference))
    found = ports(graph, told.output)
    shape = _fitting(told, found.shape)
    model, notes = import_graph(graph, told.output, shape=shape)
    return Found(
        model=model,
        by="the ONNX graph",
        facts=Facts(dtype=dtype_called(found.dtype), output=found.output),
        takes=found.shape if shape is None else shape,
        outputs=found.outputs,
        notes=notes,
    )


def _fitting(told: Facts, declared: tuple[int | None, ...]) -> tuple[int, ...] | None:
    """The shape of a row in the graph's own order of axes, if the graph leaves sizes open."""
    if None not in declared or told.shape is None:
        return None
    last = (*told.shape[1:], told.shape[0])
    for shape in (last,) if told.layout == "hwc" else (told.shape, last):
        if len(shape) == len(declared) and all(
            due in (None, size) for due, size in zip(declared, shape, strict=True)
        ):
            return shape
    return told.shape
