"""Explainers beside captum, shap, lime and torch-cam, on the same network, images and budget."""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

import pellucid
from benchmarks.explain_worker import NETWORKS, Images, Job
from benchmarks.family import Say
from benchmarks.processes import Tool, start, write_job
from pellucid import data
from pellucid.claims.subjects import recipe
from pellucid.explain.superpixels import Superpixels

ROWS = 100
OURS = Tool(name="Pellucid", module="benchmarks.explain_ours", peer=None, batch=ROWS)
CAPTUM = Tool(name="captum", module="benchmarks.peers.captum", peer="captum", batch=ROWS)
SHAP = Tool(name="shap", module="benchmarks.peers.shap", peer="shap", batch=ROWS)
LIME = Tool(name="lime", module="benchmarks.peers.lime", peer="lime", batch=ROWS)
TORCH_CAM = Tool(name="torch-cam", module="benchmarks.peers.torch_cam", peer="torchcam", batch=ROWS)


@dataclass(frozen=True, kw_only=True)
class Study:
    """One table: a job, who runs it, and what of it must hold."""

    slug: str
    title: str
    job: Job
    tools: tuple[Tool, ...] = (OURS,)
    sizes: tuple[int, ...] = ()  # of rows: then ours is run on each, and its memory compared
    note: str = ""  # what a reader of the table must know
    rounds: int = 5
    about: int = 49  # parts that an image is cut into
    limit: float | None = None  # of our CPU over raw model time, or of memory's growth


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What a process wrote down, and what it said of each row."""

    tool: str
    told: dict  # result.json as it is
    values: Tensor


def linear() -> nn.Module:
    """A linear layer of random weights: memory does not ask what it says."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return NETWORKS["linear"]()


def trained(name: str) -> nn.Module:
    """A recipe's network with its weights moved into plain torch layers."""
    module = NETWORKS[name]()
    learned = recipe(name).build().state_dict().values()
    module.load_state_dict(dict(zip(module.state_dict(), learned, strict=True)))
    return module


@dataclass(frozen=True)
class Subject:
    """A network and the data whose test images it is asked about."""

    build: Callable[[], nn.Module]
    data: str


SUBJECTS: Mapping[str, Subject] = {
    "fashion-cnn": Subject(lambda: trained("fashion-cnn"), "fashion-mnist"),
    "cifar-cnn": Subject(lambda: trained("cifar-cnn"), "cifar10-12k"),
    "linear": Subject(linear, "fashion-mnist"),
}


def explained(module: nn.Module, name: str, rows: int, about: int) -> Images:
    """The first test images, the class that the network sees in each, and a grid of parts."""
    x = torch.as_tensor(data.load(name, "test").x[:rows])
    with torch.no_grad():
        y = torch.cat([module(some).argmax(1) for some in x.split(ROWS)])
    shape = tuple(x.shape[1:])
    spec = pellucid.open(module, access="score", shape=shape, emits="logits").spec
    return Images(x=x, y=y, parts=Superpixels(about=about)(spec, x[:1])[0].clone())


def answered(name: str, tool: Tool, folder: Path, seed: int) -> Answered:
    """Run a tool on the job in a folder, and read what it wrote.

    Raises:
        RuntimeError: the process failed, or what it said is not finite.
    """
    output = start(tool, folder, {"seed": seed})
    values = torch.from_numpy(np.load(output / "values.npy", allow_pickle=False))
    if not bool(values.isfinite().all()):
        raise RuntimeError(f"{name} said something that is not finite in {folder.name}.")
    told = json.loads((output / "result.json").read_text())
    return Answered(tool=name, told=told, values=values)


def entries(study: Study) -> Sequence[tuple[str, Tool, int]]:
    """Who runs, under which name, on how many rows."""
    if study.sizes:
        return [(f"{rows:,} rows", replace(OURS, keeping=False), rows) for rows in study.sizes]
    return [(tool.name, tool, study.job.rows) for tool in study.tools]


def run(study: Study, rounds: int, say: Say) -> list[Answered]:
    """All in turn, ``rounds`` times over, each round with another seed and another first."""
    subject = SUBJECTS[study.job.subject]
    module = subject.build().eval()
    running, found = entries(study), []
    most = max(rows for _, _, rows in running)
    images = explained(module, subject.data, most, study.about)
    with tempfile.TemporaryDirectory() as place:
        folders = {name: Path(place) / f"{study.slug}-{i}" for i, (name, *_) in enumerate(running)}
        for name, _, rows in running:
            job = replace(study.job, rows=rows)
            write_job(folders[name], job, module, images.first(rows))
        for number in range(rounds):
            first = number % len(running)
            for name, tool, _ in [*running[first:], *running[:first]]:
                one = answered(name, tool, folders[name], study.job.seed + number)
                found.append(one)
                say(
                    f"{study.slug}, round {number + 1} of {rounds}, {name}: "
                    f"{one.told['cpu_seconds']:.2f} CPU seconds, "
                    f"{one.told['overhead']:.3f} of the raw model's"
                )
    return found
