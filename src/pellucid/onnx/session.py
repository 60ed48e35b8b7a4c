"""An ONNX graph that onnxruntime runs: it answers, and gives no gradients."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from functools import cache, partial
from threading import Timer
from typing import Self

import numpy as np
import onnxruntime
import xxhash
from numpy.typing import NDArray
from onnx import ModelProto
from onnxruntime.capi.onnxruntime_pybind11_state import (
    EPFail,
    Fail,
    InvalidArgument,
    InvalidGraph,
    InvalidProtobuf,
    RuntimeException,
)
from onnxruntime.capi.onnxruntime_pybind11_state import NotImplemented as NotSupported

from pellucid.onnx.ports import BadGraph, ports, reason
from pellucid.onnx.reading import fingerprint
from pellucid.onnx.structure import loops

FAULTS = (
    EPFail,
    Fail,
    InvalidArgument,
    InvalidGraph,
    InvalidProtobuf,
    NotSupported,
    RuntimeException,
    RuntimeError,
    ValueError,
)
ARENA = 2**33  # bytes that all sessions of the process may hold together; more is a failed run
LONGEST = 60.0  # seconds of one run of a graph with loops, which may have no end
SILENT = 4  # onnxruntime's severity of what ends the process


class Session:
    """A model that onnxruntime runs on the CPU, as an answerer: rows in, one output's rows out.

    A graph of a fixed batch is run on so many rows at a time, the last of them repeated to fill
    it. Sums stay on one thread: split among threads they would be added up in an order, and so
    rounded in a way, that depends on the machine's cores.
    """

    def __init__(
        self,
        model: ModelProto,
        output: str | None = None,
        *,
        one_by_one: bool = False,
        threads: int = 1,
    ) -> None:
        """Load a model that `reading.read` has passed; one_by_one runs each row alone.

        Raises:
            BadGraph: the graph's ports cannot be used, or onnxruntime does not run it.
        """
        self.model = model
        self.ports = ports(model, output)
        self.one_by_one = one_by_one or self.ports.rowless
        self._seconds = LONGEST if loops(model.graph) else None  # a watch costs a thread a run
        self._runtime = runtime(model, threads=threads)

    def alone(self) -> Self:
        """The same session with each row run alone."""
        other = copy(self)
        other.one_by_one = True
        return other

    def __call__(self, x: NDArray[np.generic]) -> NDArray[np.generic]:
        """The output (n, outputs) for x (n, *shape), as the model emits it.

        Raises:
            BadGraph: onnxruntime fails, or the output has no row for each row of x.
        """
        size = 1 if self.one_by_one else self.ports.batch or max(len(x), 1)
        parts = [self._ask(x[first : first + size]) for first in range(0, len(x), size)]
        if len({part.shape[1] for part in parts}) > 1:
            raise BadGraph(
                "The graph's output has more numbers for some rows than for others: read another "
                "of its outputs, or export it with a fixed number."
            )
        return np.concatenate(parts) if parts else np.empty((0, self.ports.outputs or 0))

    def fingerprint(self) -> str:
        """A hash of the model and of the output that is read."""
        return xxhash.xxh3_128_hexdigest(f"{fingerprint(self.model)}{self.ports.output}".encode())

    def _ask(self, rows: NDArray[np.generic]) -> NDArray[np.generic]:
        """One run: fill the batch up, and take back the rows that were asked."""
        feed = {self.ports.input: self.fill(rows)}
        (answer,) = run(self._runtime, [self.ports.output], feed, seconds=self._seconds)
        asked, due = len(rows), self.ports.batch or len(rows)
        if due > 1 and answer.shape[:1] != (due,):
            raise BadGraph(
                f"The graph's output has shape {answer.shape} for {due} rows, and so no row for "
                "each: export it with an open first axis."
            )
        return answer.reshape(due, -1)[:asked]

    def fill(self, rows: NDArray[np.generic]) -> NDArray[np.generic]:
        """What a run is fed for so many rows: of the graph's type and fixed batch."""
        rows = np.ascontiguousarray(rows, dtype=self.ports.dtype)
        if self.ports.rowless:
            return rows[0]
        return rows[np.arange(max(len(rows), self.ports.batch or 0)).clip(max=len(rows) - 1)]


def runtime(
    model: ModelProto, *, threads: int = 1, optimise: bool = True
) -> onnxruntime.InferenceSession:
    """A run-time for the model: on the CPU alone, silent, and with a bound on its memory.

    Raises:
        BadGraph: the model is too large for it, or it does not know what is in it.
    """
    _bound_memory()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    options.log_severity_level = SILENT
    options.add_session_config_entry("session.use_env_allocators", "1")
    if not optimise:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except FAULTS as error:
        raise BadGraph(
            f"onnxruntime cannot load the model ({reason(error)}): export it again, with "
            "operators that onnxruntime has."
        ) from error


def run(
    session: onnxruntime.InferenceSession,
    names: list[str],
    feed: dict[str, NDArray[np.generic]],
    *,
    seconds: float | None = None,
) -> list[NDArray[np.generic]]:
    """The values of these names for what the graph is fed, in so many seconds if they are given.

    Raises:
        BadGraph: onnxruntime fails, or does not end in time.
    """
    options = onnxruntime.RunOptions()
    options.log_severity_level = SILENT
    try:
        with _ended(options, seconds):
            return [np.asarray(value) for value in session.run(names, feed, options)]
    except FAULTS as error:
        if options.terminate:
            raise BadGraph(
                f"A loop in the graph did not end in {seconds:g} seconds: export the model with "
                "its loops unrolled, or ask fewer rows at once."
            ) from error
        raise BadGraph(
            f"onnxruntime cannot run the model ({reason(error)}): check the shape of its input, "
            "or ask fewer rows at once."
        ) from error


@contextmanager
def _ended(options: onnxruntime.RunOptions, seconds: float | None) -> Iterator[None]:
    """A run that is told to end when the time is over."""
    if seconds is None:
        yield
        return
    timer = Timer(seconds, partial(setattr, options, "terminate", True))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@cache
def _bound_memory() -> None:
    """Give onnxruntime one store of memory, bounded: some sizes show only as a graph runs."""
    onnxruntime.create_and_register_allocator(
        onnxruntime.OrtMemoryInfo(
            "Cpu",
            onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR,
            0,
            onnxruntime.OrtMemType.DEFAULT,
        ),
        onnxruntime.OrtArenaCfg({"max_mem": ARENA}),
    )
