"""Checks by proof: exact on a linear model, and never against what attacks have found."""

import numpy as np
import pytest
import torch
from tests.audit.linear import MARGINS, RADII, W, linear, network, robust, write_rows

from pellucid.audit.check import CannotTest, Ground
from pellucid.audit.checks.accuracy import Accuracy
from pellucid.audit.checks.falsify import Falsify
from pellucid.audit.checks.prove import Prove
from pellucid.audit.finding import rows_of
from pellucid.audit.severity import Limits
from pellucid.data import find
from pellucid.opening import Facts, understand


def ground(tmp_path, model=None, access="white", **facts):
    opened = understand(
        network() if model is None else model,
        declared=Facts(shape=(16,), bounds=(0.0, 1.0), emits="logits", **facts),
    )
    data = find(write_rows(tmp_path / "rows.npz"))
    return Ground(box=opened.box(access), data=data, limits=Limits(), opened=opened)


def with_earlier(start, *checks):
    for check in checks:
        found = check(start, 10**6)
        earlier = {**start.earlier, check.name: found}
        start = Ground(
            box=start.box,
            data=start.data,
            limits=start.limits,
            opened=start.opened,
            earlier=earlier,
        )
    return start


def test_on_a_linear_model_proofs_meet_the_margins(tmp_path):
    known = with_earlier(ground(tmp_path), Accuracy())
    found = Prove(radii=RADII)(known, 0)
    lines = rows_of(found.finding, "by_epsilon")
    assert [line["certified"] for line in lines] == [robust("linf", radius) for radius in RADII]
    assert all(line["broken"] == 1 for line in lines)  # the one that is wrong as it stands
    assert all(line["certified"] + line["broken"] + line["undecided"] == 16 for line in lines)


def test_what_attacks_have_broken_is_counted_and_not_tried(tmp_path):
    attack = Falsify(system="pgd", radii=RADII, settings={"steps": 40, "step": 0.0625})
    known = with_earlier(ground(tmp_path), Accuracy(), attack)
    found = Prove(radii=RADII)(known, 0)
    for line, radius in zip(rows_of(found.finding, "by_epsilon"), RADII, strict=True):
        assert line["certified"] == robust("linf", radius)
        assert line["broken"] == 16 - robust("linf", radius)
        assert line["undecided"] == 0


def test_a_mean_and_std_are_part_of_what_is_proven(tmp_path):
    module = network()
    with torch.no_grad():  # the same function of what the user hands over
        module.bias.add_(module.weight.sum(1) * 0.5)
        module.weight.mul_(0.25)
    start = ground(tmp_path, module, mean=(0.5,), std=(0.25,))
    known = with_earlier(start, Accuracy())
    lines = rows_of(Prove(radii=RADII)(known, 0).finding, "by_epsilon")
    assert [line["certified"] for line in lines] == [robust("linf", radius) for radius in RADII]


def test_the_radii_end_where_nothing_is_certified_any_more(tmp_path):
    known = with_earlier(ground(tmp_path), Accuracy())
    lines = rows_of(Prove(radii=(0.01, 0.9, 0.95, 0.99))(known, 0).finding, "by_epsilon")
    assert [line["epsilon"] for line in lines] == [0.01, 0.9]


def test_nothing_is_tried_where_every_row_is_broken(tmp_path):
    attack = Falsify(system="pgd", radii=(0.2,), settings={"steps": 40, "step": 0.0625})
    known = with_earlier(ground(tmp_path), Accuracy(), attack)
    (line,) = rows_of(Prove(radii=(0.2, 0.3))(known, 0).finding, "by_epsilon")
    assert (line["certified"], line["broken"], line["undecided"]) == (0, 16, 0)


def test_it_needs_to_know_which_rows_are_right(tmp_path):
    with pytest.raises(CannotTest, match="nothing is known"):
        Prove()(ground(tmp_path), 0)


def test_a_handed_over_box_is_refused(tmp_path):
    data = find(write_rows(tmp_path / "rows.npz"))
    start = Ground(box=linear(), data=data, limits=Limits())
    assert "handed over" in Prove().refusal(start)


def test_a_network_that_is_no_graph_is_said(tmp_path):
    class Strange(torch.nn.Module):
        def forward(self, x):
            return torch.linalg.svd(x.unflatten(1, (4, 4)))[1][:, :2]

    known = with_earlier(ground(tmp_path, Strange()), Accuracy())
    with pytest.raises(CannotTest, match="cannot be written as a graph"):
        Prove(radii=RADII)(known, 0)


def test_the_margins_are_those_that_the_fixture_says():
    x = 0.5 + MARGINS[:, None] * W / W.square().sum()
    logits = network()(x)
    np.testing.assert_allclose((logits[:, 1] - logits[:, 0]).detach(), MARGINS, atol=1e-5)
