"""The process side of the explain family: counts what a tool asks, times it, and writes its maps.

It runs in every tool's environment, so it imports NumPy, torch and safetensors alone.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from benchmarks import worker
from benchmarks.worker import BATCH, Counted

APART = 500  # between the seeds of two halves of a budget


@dataclass(frozen=True, kw_only=True)
class Job:
    """One explainer as every tool is asked to run it, on the images that lie beside it."""

    method: str
    subject: str  # which of NETWORKS
    rows: int  # how many of the images are explained
    batch: int  # of them that a tool is handed at once
    samples: int  # of a row: steps, noisy copies, coalitions
    sampled: bool  # whether the seed decides: then two halves of the budget are compared
    window: int  # side in pixels
    stride: int
    layer: str  # whose maps are weighted, as a name in the network
    seed: int
    repeats: int
    passes: int  # over the images, for each measure of the raw network


@dataclass(frozen=True, kw_only=True)
class Images:
    """What is explained: rows (n, *shape) in [0, 1], the outputs asked about, and their parts."""

    x: Tensor
    y: Tensor  # (n)
    parts: Tensor  # (places,) the part of each pixel, the same for all rows

    def first(self, rows: int) -> "Images":
        return replace(self, x=self.x[:rows], y=self.y[:rows])

    def split(self, batch: int) -> list["Images"]:
        pairs = zip(self.x.split(batch), self.y.split(batch), strict=True)
        return [replace(self, x=x, y=y) for x, y in pairs]

    @property
    def players(self) -> int:
        return int(self.parts.max()) + 1


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a tool says: maps (n, ...), or a number for each part (n, parts)."""

    values: Tensor
    asked: tuple[int, int] | None = None  # rows forward and back, where some were padding


Read = Callable[[Job, Images, Tensor], Tensor]  # what is compared of the values of a tool
Explain = Callable[[Images], Outcome]
Prepare = Callable[[Job, Counted], Explain]  # what is done once a network is not timed


def block_network() -> nn.Sequential:
    """The subject at 32x32 in plain torch: 620,362 weights."""
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(128 * 4 * 4, 256),
        nn.ReLU(),
        nn.Linear(256, 10),
    )


def linear_network() -> nn.Sequential:
    """Nothing but a linear layer: what a study of memory asks ten thousand rows of."""
    return nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 10))


NETWORKS: Mapping[str, Callable[[], nn.Sequential]] = {
    "fashion-cnn": worker.network,
    "cifar-cnn": block_network,
    "linear": linear_network,
}


class Kept:
    """Some of the rows that a tool asks about, so that raw passes are timed on their like.

    Exact zeros are pooled 2 to 6 % faster than the least noise, so it matters which rows they are.
    """

    def __init__(self, expected: int) -> None:
        self._share = 2 * BATCH / expected
        self._chance = torch.Generator().manual_seed(0)
        self._rows: list[Tensor] = []

    def __call__(self, _: nn.Module, asked: tuple[Tensor, ...]) -> None:
        x = asked[0].detach()
        self._rows.append(x[torch.rand(len(x), generator=self._chance) < self._share].clone())

    def batch(self) -> Tensor:
        """100 of them, evenly."""
        rows = torch.cat(self._rows)
        return rows[torch.arange(BATCH) * len(rows) // BATCH]


def log_probabilities(module: nn.Module) -> Callable[[Tensor], Tensor]:
    """What the methods that only ask explain: (n, *shape) to (n, classes)."""
    return lambda x: torch.log_softmax(module(x), -1)


def together(found: list[Outcome]) -> Outcome:
    """The outcomes of images that were explained some at a time; of one, no copy is made."""
    if len(found) == 1:
        return found[0]
    asked = [one.asked for one in found if one.asked is not None]
    return Outcome(
        values=torch.cat([one.values for one in found]),
        asked=(sum(q for q, _ in asked), sum(g for _, g in asked)) if asked else None,
    )


def raw(module: nn.Module, job: Job, x: Tensor, y: Tensor, back: bool) -> tuple[float, float]:
    """CPU seconds a row in the tool's batch, forward alone and forward with backward."""
    batches = list(zip(x.split(job.batch), y.split(job.batch), strict=True))
    alone = [worker.raw_forward(module, some, job.passes) for some, _ in batches]
    both = [worker.raw_gradient(module, some, own, job.passes) for some, own in batches if back]
    return sum(alone) / len(batches), sum(both) / len(batches)


def correlation(one: Tensor, other: Tensor) -> float:
    """Of two explanations of each row, the median over rows."""
    a, b = (half.double().flatten(1) for half in (one, other))
    a, b = (half - half.mean(1, keepdim=True) for half in (a, b))
    return float(torch.cosine_similarity(a, b, dim=1).median())


def as_it_is(_: Job, __: Images, values: Tensor) -> Tensor:
    return values


def halves(prepare: Prepare, read: Read, job: Job, module: Counted, images: Images) -> float:
    """The correlation of two runs with half the budget each, and other seeds."""
    values = []
    for seed in (job.seed, job.seed + APART):
        half = replace(job, samples=job.samples // 2, seed=seed)
        worker.seed_everything(seed)
        values.append(read(job, images, prepare(half, module)(images).values))
    return correlation(*values)


@dataclass(kw_only=True)
class Timed:
    """Repeats of one explanation, each between two measures of the raw network."""

    cpu: list[float]
    wall: list[float]
    raw: list[tuple[float, float]]
    outcome: Outcome

    def overheads(self, queries: int, gradients: int) -> list[float]:
        """CPU time over that of the same rows through the plain network."""
        return [
            spent * 2 / sum((queries - gradients) * alone + gradients * both for alone, both in two)
            for spent, *two in zip(self.cpu, self.raw[:-1], self.raw[1:], strict=True)
        ]


def timed(
    explain: Explain, job: Job, counted: Counted, images: Images, speed: Callable[[], tuple]
) -> Timed:
    wall, cpu, around = [], [], [speed()]
    outcome = None
    for _ in range(job.repeats):
        counted.forget()
        worker.seed_everything(job.seed)
        since, cpu_since = time.perf_counter(), time.process_time()
        outcome = together([explain(some) for some in images.split(job.batch)])
        wall.append(time.perf_counter() - since)
        cpu.append(time.process_time() - cpu_since)
        around.append(speed())
    assert outcome is not None
    return Timed(cpu=cpu, wall=wall, raw=around, outcome=outcome)


def main(explainers: Mapping[str, Prepare], package: str, read: Read = as_it_is) -> None:
    """Run ``python -m MODULE JOB_FOLDER OUTPUT_FOLDER [FIELD=VALUE]...`` with one explainer.

    The folder holds job.json, weights.safetensors and images.npz (x, y, parts). The output is
    result.json and values.npy.
    """
    folder, output = Path(sys.argv[1]), Path(sys.argv[2])
    job = Job(**worker.settings())
    prepare = explainers[job.method]
    torch.set_num_threads(1)
    module = NETWORKS[job.subject]()
    module.load_state_dict(load_file(folder / "weights.safetensors"))
    module.eval()
    with np.load(folder / "images.npz", allow_pickle=False) as arrays:
        images = Images(**{name: torch.from_numpy(value) for name, value in arrays.items()})
    images = images.first(job.rows)
    counted = Counted(deepcopy(module)).eval()  # a tool's hooks stay out of the raw network
    explain = prepare(job, counted)

    resting = worker.peak_memory()

    # The first run pays for imports and allocations, and shows what is asked about.
    some = images.first(BATCH)
    kept = Kept(job.samples * len(some.x))
    watching = counted.register_forward_pre_hook(kept)
    worker.seed_everything(job.seed)
    counted.forget()
    together([explain(part) for part in some.split(job.batch)])
    watching.remove()
    like, labels, back = kept.batch(), some.y.repeat(BATCH)[:BATCH], counted.backward_rows > 0

    found = timed(explain, job, counted, images, lambda: raw(module, job, like, labels, back))
    peak = worker.peak_memory()
    queries, gradients = found.outcome.asked or (counted.forward_rows, counted.backward_rows)
    result = {
        "job": asdict(job),
        "versions": {name: version(name) for name in (package, "torch", "numpy")},
        "rows": len(images.x),
        "calls": counted.calls,
        "largest_call": counted.largest,
        "queries": queries,
        "gradients": gradients,
        "overhead": median(found.overheads(queries, gradients)),
        "cpu_seconds": median(found.cpu),
        "wall_seconds": median(found.wall),
        "raw_forward_seconds": median(alone for alone, _ in found.raw),
        "raw_gradient_seconds": median(both for _, both in found.raw),
        "peak_mb": peak,
        "resting_mb": resting,
        "arrays_mb": (images.x.nbytes + found.outcome.values.nbytes) / 2**20,
        "halves": halves(prepare, read, job, counted, images) if job.sampled else None,
    }
    output.mkdir(parents=True, exist_ok=True)
    values = read(job, images, found.outcome.values.detach().float()).numpy()
    np.save(output / "values.npy", values, allow_pickle=False)
    (output / "result.json").write_text(json.dumps(result, indent=2) + "\n")
