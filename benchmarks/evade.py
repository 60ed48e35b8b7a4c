"""How a study of attacks is run: the tools, the network, the images, and the processes in turn."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from benchmarks.processes import Measured, Tool, measure, write_job
from benchmarks.worker import Images, Job, network
from pellucid import data
from pellucid.claims.subjects import recipe

ROWS = 100
POOL = 1000  # test images that the attacked ones are taken from

OURS = Tool(name="Pellucid", module="benchmarks.ours", peer=None, batch=ROWS)
FOOLBOX = Tool(name="foolbox", module="benchmarks.peers.foolbox", peer="foolbox", batch=ROWS)
ALONE = replace(FOOLBOX, name="foolbox, one by one", batch=1)
ART = Tool(name="ART", module="benchmarks.peers.art", peer="art", batch=ROWS)
TORCHATTACKS = Tool(
    name="torchattacks", module="benchmarks.peers.torchattacks", peer="torchattacks", batch=ROWS
)


@dataclass(frozen=True, kw_only=True)
class Study:
    """One table: a job, who runs it, and on images how sure (logits) the network is of."""

    slug: str
    title: str
    job: Job
    tools: tuple[Tool, ...]
    note: str = ""  # what a reader of the table must know
    margin: float = 0.0
    rows: int = ROWS  # images
    rounds: int = 5
    subject: str = "fashion-cnn"  # a recipe whose layers are those of worker.network()
    minimises: bool = False  # whether the distance is what the tools make small


def subject(name: str) -> nn.Module:
    """The recipe's network with its weights moved into plain torch layers."""
    trained = recipe(name).build()
    module = network().eval()
    weights = zip(module.state_dict(), trained.state_dict().values(), strict=True)
    module.load_state_dict(dict(weights))
    return module


def attacked(module: nn.Module, margin: float, rows: int = ROWS) -> Images:
    """The first test images that are classified rightly by at least ``margin``, with starts.

    A start is the image blended with uniform noise, 1 % more of it at a time and drawn anew each
    time, until the network errs. Where noise alone does not do it (100 draws), it is the first
    attacked image of another class.
    """
    test = data.load("fashion-mnist", "test")
    x, y = torch.as_tensor(test.x[:POOL]), torch.as_tensor(test.y[:POOL])
    with torch.no_grad():
        logits = module(x)
        own = logits.gather(1, y[:, None])[:, 0]
        others = logits.scatter(1, y[:, None], -torch.inf).amax(1)
        chosen = (own - others > margin).nonzero()[:rows, 0]
        x, y = x[chosen], y[chosen]
        noise = torch.Generator().manual_seed(0)
        starts = x[torch.stack([(y != label).nonzero()[0, 0] for label in y])]
        missing = torch.ones(rows, dtype=torch.bool)
        for percent in range(1, 101):
            blend = x.lerp(torch.rand(x.shape, generator=noise), percent / 100)
            found = missing & (module(blend).argmax(1) != y)
            starts[found] = blend[found]
            missing &= ~found
    return Images(x=x, y=y, starts=starts)


def run(study: Study, rounds: int, say: Callable[[str], None]) -> list[Measured]:
    """All tools in turn, ``rounds`` times over, each round with another seed and another first."""
    module = subject(study.subject)
    images = attacked(module, study.margin, study.rows)
    found = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / study.slug
        write_job(folder, study.job, module, images)
        for number in range(rounds):
            first = number % len(study.tools)
            for tool in study.tools[first:] + study.tools[:first]:
                job = replace(study.job, seed=study.job.seed + number)
                one = measure(tool, folder, job, module, images)
                found.append(one)
                seconds, overhead = one.told["cpu_seconds"], one.told["overhead"]
                say(
                    f"{study.slug}, round {number + 1} of {rounds}, {tool.name}: "
                    f"{seconds:.2f} CPU seconds, {overhead:.3f} of the raw model's"
                )
    return found
