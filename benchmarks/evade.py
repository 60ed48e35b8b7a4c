"""HopSkipJump and PGD beside foolbox, torchattacks and ART, on the same network and images."""

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
SEED = 1000  # of the first round
MARGIN = 1.0  # logits between first and second class, for images that no attack will move

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
    margin: float = 0.0
    subject: str = "fashion-cnn"  # a recipe whose layers are those of worker.network()


def pgd(epsilon: float, repeats: int) -> Job:
    """PGD-40 in Linf with a random start and steps of 2.5 radii in all."""
    return Job(
        attack="pgd",
        norm="linf",
        epsilon=epsilon,
        steps=40,
        step_size=2.5 * epsilon / 40,
        budget=40,
        seed=SEED,
        batch=ROWS,
        repeats=repeats,
    )


HARDENED = "fashion-cnn-hardened"


def inside(attack: str, epsilon: float, *, steps: int = 1, budget: int, repeats: int) -> Job:
    """An attack in an Linf ball."""
    return Job(
        attack=attack,
        norm="linf",
        epsilon=epsilon,
        steps=steps,
        step_size=None,
        budget=budget,
        seed=SEED,
        batch=ROWS,
        repeats=repeats,
    )


def nearest(
    attack: str, norm: str, *, steps: int, budget: int, rate: float | None = None, searches: int = 1
) -> Job:
    """An attack that looks for the nearest success."""
    return Job(
        attack=attack,
        norm=norm,
        epsilon=None,
        steps=steps,
        step_size=rate,
        budget=budget,
        seed=SEED,
        batch=ROWS,
        repeats=1,
        searches=searches,
    )


STUDIES = (
    Study(
        slug="hopskipjump",
        title="HopSkipJump, L2, labels alone, as many queries as eight steps of foolbox",
        job=Job(
            attack="hopskipjump",
            norm="l2",
            epsilon=None,
            steps=8,
            step_size=None,
            budget=1788,  # what foolbox spends on its eight steps; ART spends 1,735
            seed=SEED,
            batch=ROWS,
            repeats=1,
        ),
        tools=(OURS, FOOLBOX, ALONE, ART),
    ),
    Study(
        slug="pgd-hopeless",
        title="PGD-40, Linf 0.0001: no row finishes early, so this is the price of a step",
        job=pgd(1e-4, repeats=7),
        tools=(OURS, FOOLBOX, TORCHATTACKS, ART),
        margin=MARGIN,
    ),
    Study(
        slug="pgd",
        title="PGD-40, Linf 0.1",
        job=pgd(0.1, repeats=3),
        tools=(OURS, FOOLBOX, TORCHATTACKS, ART),
    ),
    Study(
        slug="apgd",
        title="APGD-CE-40, Linf 0.1, hardened",
        job=inside("apgd", 0.1, steps=40, budget=41, repeats=3),
        tools=(OURS, TORCHATTACKS, ART),
        subject=HARDENED,
    ),
    Study(
        slug="apgd-hopeless",
        title="APGD-CE-40, Linf 0.0001: no row finishes early, so this is the price of a step",
        job=inside("apgd", 1e-4, steps=40, budget=41, repeats=5),
        tools=(OURS, TORCHATTACKS, ART),
        margin=MARGIN,
    ),
    Study(
        slug="square",
        title="Square, Linf 0.1, at most 1,000 queries, hardened",
        job=inside("square", 0.1, budget=1000, repeats=1),
        tools=(OURS, TORCHATTACKS, ART),
        subject=HARDENED,
    ),
    Study(
        slug="square-hopeless",
        title="Square, Linf 0.0001, 1,000 queries: the price of a query",
        job=inside("square", 1e-4, budget=1000, repeats=1),
        tools=(OURS, TORCHATTACKS),
        margin=MARGIN,
    ),
    Study(
        slug="fmn-linf",
        title="FMN-100, Linf, hardened",
        job=nearest("fmn", "linf", steps=100, budget=100),
        tools=(OURS, FOOLBOX),
        subject=HARDENED,
    ),
    Study(
        slug="fmn-l2",
        title="FMN-100, L2, hardened",
        job=nearest("fmn", "l2", steps=100, budget=100),
        tools=(OURS, FOOLBOX),
        subject=HARDENED,
    ),
    Study(
        slug="fab-linf",
        title="FAB-20, Linf, hardened",
        job=nearest("fab", "linf", steps=20, budget=1000),
        tools=(OURS, TORCHATTACKS),
        subject=HARDENED,
    ),
    Study(
        slug="carlini-wagner",
        title="Carlini-Wagner, L2, five searches of 100 steps, hardened",
        job=nearest("carlini-wagner", "l2", steps=100, budget=500, rate=0.05, searches=5),
        tools=(OURS, FOOLBOX),
        subject=HARDENED,
    ),
    Study(
        slug="boundary",
        title="Boundary attack, L2, 2,000 steps, hardened",
        job=nearest("boundary", "l2", steps=2000, budget=2400),
        tools=(OURS, FOOLBOX),
        subject=HARDENED,
    ),
)


def subject(name: str) -> nn.Module:
    """The recipe's network with its weights moved into plain torch layers."""
    trained = recipe(name).build()
    module = network().eval()
    weights = zip(module.state_dict(), trained.state_dict().values(), strict=True)
    module.load_state_dict(dict(weights))
    return module


def attacked(module: nn.Module, margin: float) -> Images:
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
        chosen = (own - others > margin).nonzero()[:ROWS, 0]
        x, y = x[chosen], y[chosen]
        noise = torch.Generator().manual_seed(0)
        starts = x[torch.stack([(y != label).nonzero()[0, 0] for label in y])]
        missing = torch.ones(ROWS, dtype=torch.bool)
        for percent in range(1, 101):
            blend = x.lerp(torch.rand(x.shape, generator=noise), percent / 100)
            found = missing & (module(blend).argmax(1) != y)
            starts[found] = blend[found]
            missing &= ~found
    return Images(x=x, y=y, starts=starts)


def run(study: Study, rounds: int, say: Callable[[str], None]) -> list[Measured]:
    """All tools in turn, ``rounds`` times over, each round with another seed and another first."""
    module = subject(study.subject)
    images = attacked(module, study.margin)
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
