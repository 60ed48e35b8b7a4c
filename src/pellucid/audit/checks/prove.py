"""A check by proof: of how many rows no point within a radius can be classified otherwise."""

import time
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pellucid.audit.access import named
from pellucid.audit.check import CannotTest, Ground, Price
from pellucid.audit.checks.worst import attacks_of
from pellucid.audit.finding import Figure, Finding, Found, Lines
from pellucid.audit.radii import bounded, radii
from pellucid.box.protocols import WhiteBox
from pellucid.ledger import OutOfTime
from pellucid.onnx.graph import Graph
from pellucid.onnx.tracing import Untraceable, traced
from pellucid.opening.opened import preprocessing
from pellucid.shapes import Batch, Labels, Verdicts
from pellucid.spec import Image, OneClass, Vector
from pellucid.statistics import clopper_pearson
from pellucid.verify.bounds.crown import crown
from pellucid.verify.bounds.margins import margins
from pellucid.verify.bounds.values import NoBounds

AT_ONCE = 16  # rows whose bounds are found together


@dataclass(frozen=True, kw_only=True)
class Prove:
    """Bounds of the network's margins over a ball, by CROWN, for rows that no attack has moved.

    What is certified holds for the network as exact arithmetic and as float64 has it; the rows are
    the first ones, and the radii the usual ones until one certifies nothing.
    """

    rows: int = 32  # at most
    radii: tuple[float, ...] = ()  # linf, in the user's units; none given: the usual ones

    @property
    def name(self) -> str:
        """Its stage, the bounds, the norm."""
        return "prove.crown.linf"

    @property
    def access(self) -> type:
        """The weights."""
        return WhiteBox

    def refusal(self, ground: Ground, /) -> str | None:
        """It needs a network that was opened here, and classes."""
        spec = ground.box.spec
        if not isinstance(spec.input, Image | Vector) or not isinstance(spec.answer, OneClass):
            return "bounds are of images and vectors, for models that name classes"
        if not bounded(spec.input):
            return "its radii are shares of the input's range: open the model with bounds"
        if ground.opened is None:
            return "a box that is handed over does not say how inputs are prepared: name the model"
        if preprocessing(ground.opened.facts).rounds:
            return "the model takes whole numbers, of which there are no bounds"
        return None

    def price(self, _ground: Ground, /) -> Price:
        """It asks the model nothing: it reads the weights."""
        return Price(least=0, most=0)

    def __call__(self, ground: Ground, _budget: int, /) -> Found:
        """Certify what attacks have left."""
        dense, data = ground.box.spec.dense(), ground.data
        rows = torch.arange(min(self.rows, len(data)))
        x, y = data.x[rows], data.y[rows]
        near = _nearest(ground)[rows]
        network = _network(ground)
        lines: Lines = []
        certified = near > 0
        for radius in self.radii or radii(dense, "linf"):
            broken = near <= radius
            # what is not certified within a radius is not within a larger one
            tried = (certified & ~broken).nonzero()[:, 0]
            holds = torch.zeros(len(rows), dtype=torch.bool)
            holds[tried] = _held(ground, network, x[tried], y[tried], radius)
            certified = holds
            lines.append(_line(radius, holds, broken))
            if not bool(holds.any()):
                break
        return Found(finding=_finding(lines, len(rows)), arrays={"certified": certified.numpy()})


def _nearest(ground: Ground) -> Tensor:
    """How near a wrong answer is known of each row."""
    known = [
        torch.from_numpy(one.arrays["distance"]) for one in attacks_of(ground, "linf").values()
    ]
    clean = ground.earlier.get("clean.accuracy")
    if clean is not None:
        wrong = torch.from_numpy(clean.arrays["labels"]) != ground.data.y
        known.append(torch.full((len(wrong),), torch.inf, dtype=torch.double).masked_fill(wrong, 0))
    if not known:
        raise CannotTest("nothing is known of which rows the model gets right")
    return torch.stack(known).amin(0)


def _network(ground: Ground) -> Graph:
    """The network in float64, as a graph that bounds can go back through."""
    assert ground.opened is not None
    model = ground.opened.model
    assert isinstance(model, nn.Module)  # else it would not grant white access
    if isinstance(model, Graph):
        return deepcopy(model).to(torch.float64)
    shape = _prepared(ground, ground.data.x[:1])[0].shape
    try:
        return traced(model, tuple(shape)).to(torch.float64)
    except Untraceable as error:
        raise CannotTest(f"the network cannot be written as a graph ({error})") from error


def _prepared(ground: Ground, x: Batch) -> Batch:
    """Inputs as the network sees them; what is done to them grows with them."""
    assert ground.opened is not None
    return preprocessing(ground.opened.facts)(x.double(), ground.box.spec.dense().shape).double()


def _held(ground: Ground, network: Graph, x: Batch, y: Labels, radius: float) -> Verdicts:
    """Which rows keep their class in the whole ball."""
    dense, holds = ground.box.spec.dense(), [torch.zeros(0, dtype=torch.bool)]
    for rows in torch.arange(len(x)).split(AT_ONCE) if len(x) else ():
        some, labels = x[rows].double(), y[rows]
        if time.monotonic() > ground.deadline:
            raise OutOfTime
        low, high = ((some + side * radius).clamp(dense.low, dense.high) for side in (-1, 1))
        wanted = margins(labels, ground.box.spec.answer.size, some)
        try:
            bounds = crown(network, _prepared(ground, low), _prepared(ground, high), wanted)
        except NoBounds as error:
            raise CannotTest(str(error)) from error
        holds.append((bounds.low > 0).all(1))
    return torch.cat(holds)


def _line(radius: float, holds: Verdicts, broken: Verdicts) -> dict[str, Figure]:
    """What is known at a radius, of all rows."""
    certified, rows = int(holds.sum()), len(holds)
    low, high = (float(bound) for bound in clopper_pearson(certified, rows))
    return {
        "epsilon": radius,
        "certified": certified,
        "broken": int(broken.sum()),
        "undecided": rows - certified - int(broken.sum()),
        "low": low,
        "high": high,
    }


def _finding(lines: Lines, rows: int) -> Finding:
    parts = [f"{line['certified']} within {line['epsilon']:.3g}" for line in lines]
    return Finding(
        check="prove.crown.linf",
        system=None,
        severity="none",  # a proof that fails says nothing against a model
        access=named(WhiteBox),
        figures={"norm": "linf", "rows": rows, "by_epsilon": lines},
        text=f"Of {rows} rows are certified to keep their class: {', '.join(parts)} (linf).",
    )
