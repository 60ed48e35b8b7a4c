"""Checks by explanation: on a trained network, on one that looks at one pixel, and on noise."""

import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.audit.checks.grounds import after_accuracy, dataset, ground, image_box, images, only

import pellucid
from pellucid.audit.check import CannotTest
from pellucid.audit.checks._rehearsal import questions
from pellucid.audit.checks.accuracy import Accuracy
from pellucid.audit.checks.explained import Explained
from pellucid.box.protocols import GradBox, LabelBox, ScoreBox, WhiteBox
from pellucid.data import load
from pellucid.errors import UserError
from pellucid.explain import explain, label
from pellucid.ledger import OutOfTime
from pellucid.remote.faults import EndpointDown
from pellucid.systems import SYSTEMS
from pellucid.testing.specimens import specimens
from pellucid.testing.subjects import pictures

METRICS = 2 * 2 * 21  # deletion and insertion, each beside a random order
EXPLAINERS = [row for row in SYSTEMS if row.kind == "explainer"]


def digits():
    """The ground of a network that is good, and opens all doors."""
    rows = load("digits", "test")
    data = replace(rows, x=rows.x[:40], y=rows.y[:40])
    where = ground(pellucid.open("builtin:digits-cnn", access="white"), data)
    return replace(where, earlier={"clean.accuracy": Accuracy()(where, 10**6)})


@pytest.mark.parametrize(
    ("system", "settings", "each"),
    [
        ("integrated-gradients", {}, 52),
        ("occlusion", {}, 50),
        ("lime", {"samples": 200}, 200),
        ("grad-cam-plus-plus", {}, 1),
    ],
)
def test_methods_that_point_at_something_are_no_finding(system, settings, each):
    check, where = Explained(system=system, settings=settings, rows=24), digits()
    price = check.price(where)
    assert price.most == 24 * (each + METRICS)
    assert price.least == 2 * (each + METRICS)
    found = check(where, price.most)
    figures, arrays = found.finding.figures, found.arrays
    assert found.finding.cost.queries == price.most
    assert figures["rows"] == 24
    assert (np.diff(arrays["rows"]) > 0).all()
    for gain in ("gain", "deletion_gain", "insertion_gain"):
        assert figures[f"{gain}_low"] < figures[gain] < figures[f"{gain}_high"]
    assert figures["gain"] == pytest.approx(
        (figures["deletion_gain"] + figures["insertion_gain"]) / 2, rel=1e-5
    )
    assert found.finding.severity == "none"
    assert figures["gain_low"] > 0
    assert arrays["values"].shape[0] == 24
    for name in ("deletion", "deletion_random", "insertion", "insertion_random"):
        assert arrays[name].shape == (24, 21)
    assert (figures["gap"] is None) == (system != "integrated-gradients")
    assert (figures["agreement"] is None) == (system != "lime")


def one_pixel(**facts):
    """A model that looks at one pixel alone, and rows that it has right."""
    box = image_box(
        lambda z: 20 * torch.stack([0.5 - z[:, 0, 2, 3], z[:, 0, 2, 3] - 0.5], 1), (1, 6, 6), 2
    )
    x = images(30, (1, 6, 6))
    return after_accuracy(box, dataset(x, (x[:, 0, 2, 3] > 0.5).long()), **facts)


def test_a_method_whose_windows_hide_the_whole_image_tells_nothing_and_is_a_finding():
    blunt = {"window": 1.0, "stride": 1.0}
    sharp = Explained(system="occlusion", settings={"window": 0.17, "stride": 0.17}, rows=20)
    fair, bad = (
        check(one_pixel(), 10**6).finding
        for check in (sharp, Explained(system="occlusion", settings=blunt, rows=20))
    )
    assert fair.severity == "none"
    assert bad.severity == "low"
    assert fair.figures["gain"] > bad.figures["gain"]
    assert "not shown to be better than chance" in bad.text


def test_the_ledger_is_what_went_through_the_model():
    where = one_pixel()
    found = Explained(system="occlusion", rows=5)(where, 10**6)
    assert found.finding.cost.queries == where.box.module.rows
    assert found.finding.cost.calls == where.box.module.passes


def test_only_rows_that_are_right_are_explained():
    where = one_pixel()
    wrong = replace(where.data, y=where.data.y.clone())
    wrong.y[[0, 2, 3]] ^= 1
    found = Explained(system="occlusion", rows=4)(after_accuracy(where.box, wrong), 10**6)
    assert found.arrays["rows"].tolist() == [1, 4, 5, 6]


@pytest.mark.parametrize("rows", [2, 3, 7])
def test_a_smaller_budget_explains_fewer_rows_and_is_kept(rows):
    check, where = Explained(system="occlusion"), one_pixel()
    each = check.price(where).least // 2
    found = check(where, rows * each + each - 1)
    assert found.finding.figures["rows"] == rows
    assert where.box.module.rows == rows * each


def test_the_same_again_is_the_same():
    one, two = (Explained(system="lime")(one_pixel(), 10**6) for _ in range(2))
    assert one.finding == two.finding
    other = Explained(system="lime")(one_pixel(seed=1), 10**6)
    assert not np.array_equal(one.arrays["deletion_random"], other.arrays["deletion_random"])


def test_a_method_is_shown_what_it_names():
    access = {row.slug: Explained(system=row.slug).access for row in EXPLAINERS}
    assert access["occlusion"] is ScoreBox
    assert access["integrated-gradients"] is GradBox
    assert access["grad-cam"] is WhiteBox
    assert LabelBox not in access.values()
    found = Explained(system="occlusion")(one_pixel(), 10**6)
    assert found.finding.access == "score"


def test_scores_are_enough_for_a_method_that_hides():
    where = digits()
    shown = replace(where, box=only(where.box, ScoreBox))
    assert Explained(system="occlusion")(shown, 10**6).finding.figures["rows"] == 32


@pytest.mark.parametrize("row", EXPLAINERS, ids=lambda row: row.slug)
def test_the_rehearsal_knows_what_every_explainer_asks(row):
    on = pictures(pad=1)
    for method in specimens(row):
        if getattr(method, "layer", None) is None:  # a layer of the model's own
            found = explain(method, on.box, on.x, label(on.y), data=(on.x, on.y), progress=False)
            assert questions(method, on.box.spec, on.x[:1]) == int(found.queries[0])


def test_a_layer_that_only_the_model_has_leaves_the_price_open():
    check = Explained(system="grad-cam", settings={"layer": "no such layer"})
    where = digits()
    assert check.price(where).most is None
    with pytest.raises(CannotTest, match=r"^it is refused: .*[^.]$"):
        check(where, 10**6)


def test_rows_that_are_too_few_or_wrong_cannot_be_explained():
    where = one_pixel()
    none = after_accuracy(where.box, replace(where.data, y=1 - where.data.y))
    with pytest.raises(CannotTest, match="right on 0 rows"):
        Explained(system="occlusion")(none, 10**6)
    with pytest.raises(CannotTest, match=r"clean\.accuracy"):
        Explained(system="occlusion")(replace(where, earlier={}), 10**6)


def test_time_and_a_model_that_fails_are_not_refusals():
    where = one_pixel()
    with pytest.raises(OutOfTime):
        Explained(system="occlusion")(replace(where, deadline=time.monotonic() - 1), 10**6)

    def fail(_):
        raise EndpointDown("The model is gone.")

    where.box.module.inner.function = fail
    with pytest.raises(EndpointDown):
        Explained(system="occlusion")(where, 10**6)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"system": "pgd"}, "pgd is of kind attack"),
        ({"system": "occlusion", "rows": 1}, "2 rows or more"),
        ({"system": "occlusion", "steps": 0}, "1 step or more"),
        ({"system": "occlusion", "settings": {"windows": 0.1}}, "windows"),
    ],
)
def test_what_makes_no_sense_is_refused(fields, said):
    with pytest.raises(UserError, match=said):
        Explained(**fields)
