"""Checks by attack, on a model whose margins are known."""

import numpy as np
import pytest
import torch
from tests.audit.linear import L2, MARGINS, RADII, D, W, linear, robust, write_rows

from pellucid.audit.check import CannotTest, Ground
from pellucid.audit.checks.falsify import Falsify
from pellucid.audit.checks.worst import Worst
from pellucid.audit.finding import rows_of
from pellucid.audit.severity import Limits
from pellucid.box.protocols import GradBox, LabelBox, ScoreBox
from pellucid.data import find
from pellucid.errors import UserError
from pellucid.ledger import OutOfTime

PGD = Falsify(system="pgd", radii=RADII, queries=40, settings={"steps": 40, "step": 0.0625})
SQUARE = Falsify(system="square", norm="l2", radii=L2, queries=40)
FMN = Falsify(system="fmn", norm="l2", radii=L2)


@pytest.fixture
def ground(tmp_path):
    return Ground(box=linear(pad=1), data=find(write_rows(tmp_path / "rows.npz")), limits=Limits())


def test_an_attack_in_a_ball_meets_rows_again_only_while_they_are_right(ground):
    found = PGD(ground, PGD.price(ground).most)
    lines = rows_of(found.finding, "by_epsilon")
    assert [line["robust"] for line in lines] == [robust("linf", radius) for radius in RADII]
    assert [line["epsilon"] for line in lines] == list(RADII)
    assert found.finding.figures["attacked"] == 15
    assert found.finding.figures["succeeded"] == 15 - robust("linf", RADII[-1])
    assert ground.box.module.rows == found.finding.cost.queries
    assert ground.box.module.passes == found.finding.cost.calls
    # rows that fell within one radius are not asked about at the next
    survivors = 15 + sum(robust("linf", radius) for radius in RADII[:-1])
    assert found.finding.cost.gradients <= 40 * survivors
    distance = found.arrays["distance"]
    assert (distance[-1], np.isinf(distance).sum()) == (0, robust("linf", RADII[-1]))
    exact = (MARGINS.abs() / W.abs().sum()).numpy()
    fallen = np.isfinite(distance) & (distance > 0)
    assert (distance[fallen] >= exact[fallen] - 1e-6).all()
    assert set(np.round(distance[fallen], 6)) <= set(RADII)


def test_an_attack_that_seeks_the_nearest_runs_once_and_finds_the_margin(ground):
    found = FMN(ground, 10**6)
    exact = (MARGINS.abs()[:-1] / W.norm()).numpy()
    assert np.allclose(found.arrays["distance"][:-1], exact, rtol=0.02)
    assert found.finding.figures["median_distance"] == pytest.approx(np.median(exact), rel=0.02)
    said, y = found.arrays["labels_after"], ground.data.y.numpy()
    assert (said[:-1] == 1 - y[:-1]).all()
    assert said[-1] == -1
    moved = torch.from_numpy(found.arrays["adversarial"])
    assert torch.equal(moved[-1], ground.data.x[-1])


@pytest.mark.parametrize("check", [PGD, SQUARE, FMN])
@pytest.mark.parametrize("more", [0, 1, 100, 700])
def test_a_budget_is_never_passed(ground, check, more):
    budget = check.price(ground).least + more
    found = check(ground, budget)
    assert ground.box.module.rows == found.finding.cost.queries <= budget


def test_curves_agree_with_the_distances_and_questions_grow(ground):
    found = SQUARE(ground, 10**6)
    falls = found.arrays["distance"]
    for line in rows_of(found.finding, "curve"):
        assert line["accuracy"] == pytest.approx((falls > line["epsilon"]).mean())
    by_queries = rows_of(found.finding, "by_queries")
    for radius, end in zip(L2, rows_of(found.finding, "by_epsilon"), strict=True):
        points = [line for line in by_queries if line["epsilon"] == radius]
        accuracies = [line["accuracy"] for line in points]
        assert accuracies == sorted(accuracies, reverse=True)
        assert accuracies[-1] == end["accuracy"]
        assert points[-1]["queries"] <= found.finding.figures["most_queries"]


@pytest.mark.parametrize(
    ("radii", "severity"),
    [((0.001, 0.002), "none"), ((0.001, 0.12), "high"), ((0.12,), "critical")],
)
def test_the_severity_is_that_of_the_least_radius_that_breaks_the_model(ground, radii, severity):
    check = Falsify(system="pgd", radii=radii, settings={"steps": 40, "step": 0.0625})
    assert check(ground, 10**6).finding.severity == severity


def test_the_ids_say_how_much_the_attacker_sees():
    assert PGD.access is GradBox
    assert SQUARE.access is ScoreBox
    assert Falsify(system="hopskipjump", norm="l2").access is LabelBox


def test_findings_of_black_boxes_and_of_gradients_have_their_own_technique(ground):
    assert PGD(ground, 10**6).finding.atlas == ("AML.T0043.000", "AML.T0015")
    assert SQUARE(ground, 10**6).finding.atlas == ("AML.T0043.001", "AML.T0015")


def test_the_clock_ends_a_check(ground):
    late = Ground(box=ground.box, data=ground.data, limits=ground.limits, deadline=1.0)
    with pytest.raises(OutOfTime):
        PGD(late, 10**6)


def test_the_worst_of_several_attacks_is_met_row_by_row(ground):
    hop = Falsify(system="hopskipjump", norm="l2", radii=L2, queries=60)
    earlier = {check.name: check(ground, 10**6) for check in (SQUARE, FMN, hop, PGD)}
    asked = ground.box.module.rows
    joined = Ground(box=ground.box, data=ground.data, limits=ground.limits, earlier=earlier)
    found = Worst(norm="l2")(joined, 0)
    parts = [earlier[check.name].arrays["distance"] for check in (SQUARE, FMN, hop)]
    assert np.array_equal(found.arrays["distance"], np.minimum.reduce(parts))
    assert ground.box.module.rows == asked
    assert found.finding.access == "gradient"
    lines = rows_of(found.finding, "nearest")
    assert sum(line["rows"] for line in lines) == 15
    with pytest.raises(CannotTest, match="fewer than two attacks of linf"):
        Worst(norm="linf")(joined, 0)


def test_what_no_attack_here_moves_is_refused(ground):
    free = linear()
    spec = type(free.spec)(input=type(free.spec.input)(shape=(D,)), answer=free.spec.answer)
    free.spec = spec
    assert "bounds" in PGD.refusal(Ground(box=free, data=ground.data, limits=ground.limits))
    assert PGD.refusal(ground) is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"system": "none-such"}, "no system called"),
        ({"system": "pgd", "radii": (0.0, 1.0)}, "positive"),
        ({"system": "pgd", "settings": {"steps": "many"}}, "takes a whole number"),
        ({"system": "cw", "norm": "linf"}, "."),
    ],
)
def test_fields_that_cannot_work_are_said(fields, said):
    with pytest.raises(UserError, match=said):
        Falsify(**fields)
