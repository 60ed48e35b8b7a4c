"""A region of inputs as the unit cube, so that attacks in balls can search it."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pellucid.box.protocols import ASK, GradBox, Kind, NoBox, WhiteBox, granted
from pellucid.box.views import VIEWS, fingerprint
from pellucid.errors import UserError
from pellucid.rows import Rows
from pellucid.spec import Spec, Vector
from pellucid.verify.properties.region import Region


@dataclass(frozen=True, kw_only=True, eq=False)
class Cube:
    """Asks a box about points of a region, given as points of [0, 1]^d.

    The ends of the region must be numbers of the type that the model computes in, as
    `Region.representable` makes them: then what is asked lies in the region without any tolerance.
    A dimension of width zero is allowed.
    """

    inside: NoBox
    region: Region

    @property
    def spec(self) -> Spec:
        """The box's, with the unit cube as its input."""
        spec = self.inside.spec
        cube = Vector(shape=(len(self.region),), low=0.0, high=1.0)
        return Spec(input=cube, answer=spec.answer, rows_per_call=spec.rows_per_call)

    def box(self) -> NoBox:
        """What the box grants, asked through the cube, up to gradients."""
        grants = granted(self.inside)
        return VIEWS[GradBox if grants is WhiteBox else grants](self)

    def points(self, u: Tensor) -> Tensor:
        """Points u (*lead, d) of the cube as points of the region; differentiable."""
        low, high = self.region.low, self.region.high
        x = (low.double() + u.double() * (high.double() - low.double())).to(low)
        # rounding may step over an end, where a clamp would hold the gradient back
        return x + (x.clamp(low, high) - x).detach()

    def ask(self, kind: Kind, u: Rows, _rows: Tensor | None, /) -> Tensor:
        """Ask the box about points (*probes, rows, d)."""
        assert isinstance(u, Tensor)
        lead = self.spec.input.lead(u)
        shape = self.inside.spec.dense().shape
        return ASK[kind](self.inside, self.points(u).reshape(*lead, *shape))

    def network(self) -> nn.Module:
        """Not shown: the network takes no points of the cube."""
        raise UserError("A region asked as a cube shows no module: ask the model's own box.")

    def fingerprint(self) -> str | None:
        """The box's with the region, if it has one."""
        inner, ends = fingerprint(self.inside), torch.stack([self.region.low, self.region.high])
        return None if inner is None else f"{inner}/{ends.double().numpy().tobytes().hex()}"
