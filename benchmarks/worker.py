"""The process side of a benchmark: reads a job, counts what the tool asks, times it, writes it.

It runs in every tool's environment, so it imports NumPy, torch and safetensors alone.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

BATCH = 100
RAW_PASSES = 40


@dataclass(frozen=True, kw_only=True)
class Job:
    """One attack as every tool is asked to run it, on the images that lie beside it."""

    attack: str
    norm: str
    budget: int  # queries a row, for the tools that keep to one
    epsilon: float | None = None  # of the ball, for attacks inside one
    steps: int = 1
    step_size: float | None = None
    seed: int = 1000  # of the first round
    batch: int = BATCH
    repeats: int = 1  # of the attack in a process: short ones are timed more than once
    searches: int = 1  # of a constant, where the attack searches for one
    share: float | None = None  # of the pixels, in the first square of Square
    waves: int | None = None  # the lowest ones each way, where the attack draws from waves
    population: int = 0  # of differential evolution


@dataclass(frozen=True, kw_only=True)
class Images:
    """What is attacked: rows (n, *shape) in [0, 1], their labels, and a start point for each."""

    x: Tensor
    y: Tensor
    starts: Tensor

    def first(self, rows: int) -> "Images":
        return Images(x=self.x[:rows], y=self.y[:rows], starts=self.starts[:rows])


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a tool hands back; only Pellucid has anything to say beside the images."""

    adversarial: Tensor
    asked: tuple[int, int] | None = None  # rows forward and back, where some were padding
    calls: int | None = None  # requests, where one is answered in several passes
    method_seconds: float | None = None  # CPU time in the method's own arithmetic
    ledger: dict[str, int] = field(default_factory=dict)  # the tool's own books


Attack = Callable[[Job, nn.Module, Images], Outcome]


def network() -> nn.Sequential:
    """The subject in plain torch, the same object in every process: 206,922 weights at 28x28."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )


class Counted(nn.Module):
    """The subject as the tools get it: the same answers, with a count of what was asked.

    The seconds are CPU time inside the passes.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        self.forget()

    def forget(self) -> None:
        self.calls = self.forward_rows = self.backward_rows = self.largest = 0
        self.forward_seconds = self.backward_seconds = 0.0

    def forward(self, x: Tensor) -> Tensor:
        since = time.process_time()
        answer = self.module(x)
        if answer.requires_grad:
            answer.register_hook(self._begin_backward)
        if x.requires_grad:
            x.register_hook(self._end_backward)
        self.calls += 1
        self.forward_rows += len(x)
        self.largest = max(self.largest, len(x))
        self.forward_seconds += time.process_time() - since
        return answer

    def _begin_backward(self, gradient: Tensor) -> None:
        self.backward_rows += len(gradient)
        self.backward_seconds -= time.process_time()

    def _end_backward(self, _: Tensor) -> None:
        self.backward_seconds += time.process_time()


def raw_forward(module: nn.Module, x: Tensor, passes: int = RAW_PASSES) -> float:
    """CPU seconds an image for the forward pass alone, all images in one batch."""
    since = time.process_time()
    with torch.no_grad():
        for _ in range(passes):
            module(x)
    return (time.process_time() - since) / (passes * len(x))


def raw_gradient(module: nn.Module, x: Tensor, y: Tensor, passes: int = RAW_PASSES) -> float:
    """CPU seconds an image for a forward pass and a backward pass down to the image."""
    since = time.process_time()
    for _ in range(passes):
        x = x.detach().requires_grad_()
        loss = nn.functional.cross_entropy(module(x), y, reduction="sum")
        torch.autograd.grad(loss, x)
    return (time.process_time() - since) / (passes * len(x))


def raw_seconds(module: nn.Module, x: Tensor, y: Tensor) -> tuple[float, float]:
    """CPU seconds an image, batch 100: forward alone, and forward with backward."""
    return raw_forward(module, x), raw_gradient(module, x, y)


def peak_memory() -> float:
    """The most memory that this process has held so far, in MB.

    Linux hands the parent's ``ru_maxrss`` down to its children, so its own file is read there.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 2**10
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def seed_everything(seed: int) -> None:
    """Seed the global generators, which is where the peers draw from."""
    torch.manual_seed(seed)
    np.random.seed(seed)


def settings() -> dict:
    """The fields of the job, with the changes of the command line."""
    found = json.loads((Path(sys.argv[1]) / "job.json").read_text())
    for pair in sys.argv[3:]:
        name, _, value = pair.partition("=")
        found[name] = json.loads(value)
    return found


def main(attacks: Mapping[str, Attack], package: str) -> None:
    """Run ``python -m MODULE JOB_FOLDER OUTPUT_FOLDER [KEY=VALUE]...`` with one of ``attacks``.

    The folder holds job.json, weights.safetensors and images.npz (x, y, starts); each KEY=VALUE
    overrides a field of the job with a JSON value. The output is result.json and adversarial.npy.
    """
    folder, output = Path(sys.argv[1]), Path(sys.argv[2])
    job = Job(**settings())
    attack = attacks[job.attack]

    torch.set_num_threads(1)
    module = network()
    module.load_state_dict(load_file(folder / "weights.safetensors"))
    module.eval()
    with np.load(folder / "images.npz", allow_pickle=False) as images:
        rows = Images(**{name: torch.from_numpy(images[name]) for name in ("x", "y", "starts")})
    # Raw passes are timed on images as attacks send them. A background of exact zeros is pooled
    # 2 to 6 % faster than one with the least noise, and no iterate of an attack has one.
    noise = torch.rand(rows.x[:BATCH].shape, generator=torch.Generator().manual_seed(0))
    x, y = (rows.x[:BATCH] + 1e-4 * noise).clamp(0, 1), rows.y[:BATCH]
    counted = Counted(module).eval()

    # The first passes, and a tool's first call, pay for imports and allocations once.
    raw_gradient(module, x, y)
    attack(replace(job, steps=1, budget=50), counted, rows.first(2))

    # The speed of a shared machine drifts: raw passes are timed before and after every repeat, and
    # a repeat is compared with the mean of its two neighbours.
    raw = [raw_seconds(module, x, y)]
    wall, cpu = [], []
    resting = peak_memory()
    for _ in range(job.repeats):
        counted.forget()
        seed_everything(job.seed)
        since, cpu_since = time.perf_counter(), time.process_time()
        outcome = attack(job, counted, rows)
        wall.append(time.perf_counter() - since)
        cpu.append(time.process_time() - cpu_since)
        raw.append(raw_seconds(module, x, y))
    peak = peak_memory()
    queries, gradients = outcome.asked or (counted.forward_rows, counted.backward_rows)
    overhead = [
        spent * 2 / sum((queries - gradients) * alone + gradients * both for alone, both in around)
        for spent, *around in zip(cpu, raw[:-1], raw[1:], strict=True)
    ]

    output.mkdir(parents=True, exist_ok=True)
    np.save(output / "adversarial.npy", outcome.adversarial.detach().numpy(), allow_pickle=False)
    result = {
        "job": asdict(job),
        "versions": {name: version(name) for name in (package, "torch", "numpy")},
        "rows": len(rows.x),
        "calls": counted.calls if outcome.calls is None else outcome.calls,
        "passes": counted.calls,
        "largest_call": counted.largest,
        "queries": queries,
        "gradients": gradients,
        "ledger": outcome.ledger,
        "forward_rows": counted.forward_rows,
        "backward_rows": counted.backward_rows,
        "overhead": median(overhead),
        "cpu_seconds": median(cpu),
        "wall_seconds": median(wall),
        "model_seconds": counted.forward_seconds + counted.backward_seconds,
        "method_seconds": outcome.method_seconds,
        "last_cpu_seconds": cpu[-1],
        "raw_forward_seconds": median(forward for forward, _ in raw),
        "raw_gradient_seconds": median(gradient for _, gradient in raw),
        "peak_mb": peak,
        "resting_mb": resting,
    }
    (output / "result.json").write_text(json.dumps(result, indent=2) + "\n")
