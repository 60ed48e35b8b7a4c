"""A network that torch stored as a program: TorchScript, or what torch.export wrote."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram
from torch.fx import Node

from pellucid.box.preprocessing import dtype_called
from pellucid.opening.facts import Facts
from pellucid.opening.found import Found, NoModel


@dataclass(frozen=True, kw_only=True)
class Rows:
    """How many rows a program takes in one pass."""

    least: int = 1
    most: int | None = None  # None: any number


class Program(nn.Module):
    """A stored program that takes any number of rows, in passes of as many as it can.

    What it computes stands in no class and is not in its text, so its file's hash is.
    """

    def __init__(self, program: nn.Module, digest: str, rows: Rows = Rows()) -> None:
        """Keep the program, the hash of its file, and the rows that it takes in one pass."""
        super().__init__()
        self.program, self.digest, self.rows = program, digest, rows

    def forward(self, x: Tensor) -> Tensor | object:
        """Whatever the program answers to x (n, *shape)."""
        if self.rows == Rows():
            return self.program(x)
        answers = [self._pass(part) for part in x.split(self.rows.most or len(x))]
        return torch.cat(answers) if len(answers) > 1 else answers[0]

    def extra_repr(self) -> str:
        """The hash of the file."""
        return f"file={self.digest}"

    def _pass(self, x: Tensor) -> Tensor:
        """One pass, filled up with the last row."""
        filled = torch.arange(max(len(x), self.rows.least)).clamp_max(len(x) - 1)
        answers = self.program(x[filled])
        if not isinstance(answers, Tensor):
            raise NoModel(
                f"The program answers with a {type(answers).__name__}, not with a tensor: export a "
                "module that returns the outputs alone."
            )
        return answers[: len(x)]


def read_program(exported: ExportedProgram, path: str, digest: str) -> Found:
    """The module of an exported program, and what its graph says of rows.

    Raises:
        NoModel: it does not take one tensor of rows, does not give one tensor, or was exported in
            training mode.
    """
    signature = exported.graph_signature
    counts = len(signature.user_inputs), len(signature.user_outputs)
    if counts != (1, 1):
        raise NoModel(
            f"{path} takes {counts[0]} inputs and gives {counts[1]} outputs: export a module that "
            "takes one tensor and gives one."
        )
    (name,) = signature.user_inputs
    given = next(node.meta.get("val") for node in exported.graph.nodes if node.name == name)
    if not isinstance(given, Tensor) or given.ndim < 2:
        raise NoModel(f"{path} takes no rows: export a module that takes a tensor (n, *shape).")
    if any(_trains(node) for node in exported.graph.nodes):
        raise NoModel(
            f"{path} was exported in training mode, so its answers are random or depend on each "
            "other: call model.eval() before torch.export.export."
        )
    rows = _rows(exported, given)
    notes = ()
    if rows.most is not None:
        notes = (f"The program takes {_said(rows)} rows a pass: calls are split and filled up.",)
    return Found(
        model=Program(exported.module(), digest, rows),
        by="the exported program",
        facts=Facts(dtype=dtype_called(str(given.dtype).removeprefix("torch."))),
        takes=tuple(size if isinstance(size, int) else None for size in given.shape[1:]),
        notes=notes,
    )


def _rows(exported: ExportedProgram, given: Tensor) -> Rows:
    size = given.shape[0]
    if isinstance(size, int):
        return Rows(least=size, most=size)
    bounds = exported.range_constraints.get(size.node.expr)
    if bounds is None:  # a size that others decide, such as twice another one
        return Rows()
    most = int(bounds.upper) if bounds.upper.is_Integer else None
    return Rows(least=max(1, int(bounds.lower)), most=most)


def _said(rows: Rows) -> str:
    return f"{rows.most}" if rows.least == rows.most else f"{rows.least} to {rows.most}"


def _trains(node: Node) -> bool:
    """Whether an operator runs as it does in training."""
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        return False
    names = [argument.name for argument in schema.arguments]
    given = {**dict(zip(names, node.args, strict=False)), **node.kwargs}
    return given.get("train") is True or given.get("training") is True
