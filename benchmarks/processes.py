"""One tool on one job in a process of its own, and what the parent makes of what comes back."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from benchmarks.environments import python_of
from benchmarks.worker import Images, Job

ROOT = Path(__file__).parents[1]

THREADS = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# glibc gives memory back and takes it again in every pass unless told otherwise: page faults are
# then a tenth of the raw time and more, and differ from process to process.
KEEPING = {
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
}


@dataclass(frozen=True, kw_only=True)
class Tool:
    """How a tool is started: its module, whose environment, and the batch it is given."""

    name: str
    module: str
    peer: str | None  # None: the environment that this process runs in
    batch: int
    keeping: bool = True  # whether memory that was freed is kept: steadier times, a higher peak

    def python(self) -> Path:
        return Path(sys.executable) if self.peer is None else python_of(self.peer)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a process wrote down, and what the parent found in its images."""

    tool: str
    told: dict  # result.json as it is
    success: Tensor  # (n) by the parent's own clean forward pass
    distance: Tensor  # (n) in the job's norm, infinite without success


def write_job(folder: Path, job: object, module: nn.Module, images: object) -> None:
    """Put down all that a process reads: fields of dataclasses, and weights of plain layers."""
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(json.dumps(vars(job)))
    save_file(module.state_dict(), folder / "weights.safetensors")
    arrays = {name: value.numpy() for name, value in vars(images).items()}
    np.savez(folder / "images.npz", **arrays, allow_pickle=False)


def start(tool: Tool, folder: Path, changes: Mapping[str, object]) -> Path:
    """Run the tool on the job in ``folder``, changed so; the folder of what it wrote down.

    Raises:
        RuntimeError: the process failed.
    """
    overrides = [f"{name}={json.dumps(value)}" for name, value in changes.items()]
    output = folder / "-".join([tool.module, *map(str, changes.values())])
    done = subprocess.run(
        [tool.python(), "-m", tool.module, folder, output, *overrides],
        cwd=ROOT,
        env={**os.environ, **THREADS, **(KEEPING if tool.keeping else {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{tool.name} failed in {folder.name}:\n{done.stderr[-2000:]}")
    return output


def measure(tool: Tool, folder: Path, job: Job, module: nn.Module, images: Images) -> Measured:
    """Run the tool on the job in ``folder`` with the seed of ``job``, and check what it made.

    Raises:
        RuntimeError: the process failed, or its images are not what was asked for.
    """
    output = start(tool, folder, {"seed": job.seed, "batch": tool.batch})
    adversarial = torch.from_numpy(np.load(output / "adversarial.npy", allow_pickle=False))
    success, distance = verdict(job, module, images, adversarial)
    told = json.loads((output / "result.json").read_text())
    return Measured(tool=tool.name, told=told, success=success, distance=distance)


def verdict(
    job: Job, module: nn.Module, images: Images, adversarial: Tensor
) -> tuple[Tensor, Tensor]:
    """Which rows (n) are misled within the job's ball, and how far each lies from its image.

    Raises:
        RuntimeError: the images have another shape, or leave [0, 1] by more than rounding.
    """
    if adversarial.shape != images.x.shape or not bool(adversarial.isfinite().all()):
        raise RuntimeError(f"The images have shape {tuple(adversarial.shape)}, or are not finite.")
    if float((adversarial - adversarial.clamp(0, 1)).abs().max()) > 1e-6:
        raise RuntimeError("The images leave [0, 1].")
    delta = (adversarial - images.x).double().flatten(1)
    order = {"l2": 2.0, "linf": torch.inf}[job.norm]
    distance = torch.linalg.vector_norm(delta, ord=order, dim=1)
    with torch.no_grad():
        success = module(adversarial).argmax(1) != images.y
    if job.epsilon is not None:
        success &= distance <= job.epsilon * (1 + 1e-6) + 1e-7
    return success, distance.masked_fill(~success, torch.inf)
