"""Signs of traps, on models that are made to have them."""

import pytest
import torch
from tests.audit.linear import linear, network, write_rows
from torch import nn

from pellucid.audit.check import Ground
from pellucid.audit.checks.accuracy import Accuracy
from pellucid.audit.checks.falsify import Falsify
from pellucid.audit.checks.trapped import CLEAR, Trapped
from pellucid.audit.checks.worst import Worst
from pellucid.audit.severity import Limits
from pellucid.data import find


class Steps(nn.Module):
    """The linear model behind a staircase, through which no gradient flows."""

    def __init__(self):
        super().__init__()
        self.inner = network()

    def forward(self, x):
        return (self.inner(x) * 50).round() / 50


@pytest.fixture
def ground(tmp_path):
    def made(module=None):
        box = linear(pad=1)
        if module is not None:
            box.module.inner = module
        data = find(write_rows(tmp_path / "rows.npz"))
        start = Ground(box=box, data=data, limits=Limits())
        accuracy = Accuracy()(start, 10**6)
        box.module.rows = box.module.passes = 0
        earlier = {"clean.accuracy": accuracy}
        return Ground(box=box, data=data, limits=Limits(), earlier=earlier)

    return made


def test_a_plain_model_shows_no_trap_and_the_price_is_kept(ground):
    start = ground()
    found = Trapped()(start, Trapped().price(start).most).finding
    assert (found.severity, found.text) == ("none", CLEAR)
    assert start.box.module.rows == found.cost.queries <= Trapped().price(start).most
    assert found.cost.gradients == 15  # the rows that are right


def test_a_staircase_has_no_gradients_and_that_is_said(ground):
    found = Trapped()(ground(Steps()), 10**6).finding
    assert found.severity == "medium"
    names = [line["trap"] for line in found.figures["traps"]]
    assert "zero gradients" in names
    assert "exactly zero" in found.text


def test_what_breaks_rows_that_gradients_cannot_is_said_of_their_union(ground):
    start = ground(Steps())
    settings = {"steps": 40, "step": 0.0625, "random": False}
    pgd = Falsify(system="pgd", norm="l2", radii=(0.3,), settings=settings)
    hop = Falsify(system="hopskipjump", norm="l2", radii=(0.3,), queries=800)
    for module, masked in ((Steps(), True), (network(), False)):
        start.box.module.inner = module
        earlier = {check.name: check(start, 10**6) for check in (pgd, hop)}
        joined = Ground(box=start.box, data=start.data, limits=start.limits, earlier=earlier)
        found = Worst(norm="l2")(joined, 0).finding
        assert found.figures["masked"] is masked
        assert ("on their word" in found.text) is masked


def test_the_steps_are_those_of_torch():
    x = torch.rand(4, 16, requires_grad=True)
    assert torch.autograd.grad(Steps()(x).sum(), x)[0].abs().max() == 0
