"""What works on this machine: each library is tried in a process of its own.

A compiled library that does not fit can end the process that imports it, so none is imported
here.
"""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

SECONDS = 120  # after which a library that still imports is given up


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: Literal["ok", "note", "problem"]  # a note never keeps an audit from running
    detail: str


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A library, and the program that imports it and prints what is worth knowing."""

    distribution: str
    program: str
    absent: Check | None = None  # what to say when it is not installed; None: nothing


def needed(distribution: str, program: str) -> Probe:
    """A probe of a library without which no audit runs."""
    detail = "not installed: run `pip install pellucid` again."
    return Probe(
        distribution=distribution,
        program=program,
        absent=Check(name=distribution, state="problem", detail=detail),
    )


def optional(distribution: str, module: str, extra: str, use: str) -> Probe:
    """A probe of a library that comes with an extra."""
    detail = f"not installed: {use} (`pip install 'pellucid[{extra}]'`)."
    return Probe(
        distribution=distribution,
        program=f"import {module}; print({module}.__version__)",
        absent=Check(name=distribution, state="note", detail=detail),
    )


TORCH = """
import torch
build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU"
devices = f", {torch.cuda.device_count()} GPUs" if torch.version.cuda else ""
print(f"{torch.__version__}, {build} build{devices}, {torch.get_num_threads()} threads")
"""
ONNXRUNTIME = """
import onnxruntime
print(onnxruntime.__version__, "with", ", ".join(onnxruntime.get_available_providers()))
"""
PROBES = (
    needed("torch", TORCH),
    needed("numpy", "import numpy; print(numpy.__version__)"),
    needed("scipy", "import scipy.stats; print(scipy.__version__)"),
    needed("safetensors", "import safetensors.torch; print(safetensors.__version__)"),
    needed("onnx", "import onnx; print(onnx.__version__)"),
    needed("onnxruntime", ONNXRUNTIME),
    needed("httpx", "import httpx; print(httpx.__version__)"),
    needed("sqlalchemy", "import sqlalchemy; print(sqlalchemy.__version__)"),
    optional("lightning-fabric", "lightning_fabric", "train", "only training needs it"),
    optional("skops", "skops", "sklearn", "only scikit-learn models need it"),
    optional("transformers", "transformers", "hub", "only models of the hub need it"),
    optional("polars", "polars", "tables", "only CSV and Parquet files need it"),
    Probe(distribution="torchvision", program="import torchvision; print(torchvision.__version__)"),
    Probe(distribution="torchaudio", program="import torchaudio; print(torchaudio.__version__)"),
)
COMPANIONS = ("torchvision", "torchaudio")  # compiled against one torch; Pellucid needs neither


def libraries() -> Iterator[Check]:
    """Try every library, all at once, and say how each fared."""
    running: list[tuple[Probe, subprocess.Popen[str]]] = []
    try:
        for probe in PROBES:
            if _installed(probe.distribution):
                running.append((probe, _start(probe.program)))
            elif probe.absent:
                yield probe.absent
        for probe, process in running:
            yield _finish(probe, process)
    finally:  # after Ctrl-C nothing goes on in the background
        for _, process in running:
            process.kill()
            process.communicate()


def _start(program: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _finish(probe: Probe, process: subprocess.Popen[str]) -> Check:
    name = probe.distribution
    try:
        out, err = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        err = f"{err}\nit was still importing after {SECONDS} seconds"
    if process.returncode == 0:
        return Check(name=name, state="ok", detail=out.strip())
    reason = (err.strip().splitlines() or [f"the process ended with {process.returncode}"])[-1]
    if name in COMPANIONS:
        return Check(name=name, state="note", detail=_misfit(name, reason))
    state = "problem" if probe.absent and probe.absent.state == "problem" else "note"
    return Check(name=name, state=state, detail=f"installed, but cannot be imported: {reason}")


def _misfit(name: str, reason: str) -> str:
    return (
        f"{version(name)} is installed but cannot be imported ({reason}). Its compiled half was "
        f"built for another torch than {version('torch')}; a {name} built for CUDA beside a torch "
        f"built for the CPU does this. Pellucid does not need it: `pip uninstall {name}`, or "
        "install the build of it that belongs to this torch. Other packages that import it will "
        "fail until then."
    )


def _installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True
