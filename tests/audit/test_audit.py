"""The audit: its figures where they are known, its budget, its folder, and how it goes on."""

import json
from io import StringIO

import numpy as np
import pytest
import torch
from rich.console import Console
from tests.subjects import Counting
from torch import nn

import pellucid
from pellucid.audit import Stopped, run
from pellucid.audit.table import table
from pellucid.box.torch_box import TorchBox
from pellucid.errors import UserError
from pellucid.spec import OneClass, Spec, Vector

D = 16
W = torch.linspace(-1, 1, D)
MARGINS = torch.tensor([0.1, 0.3, 0.46, 0.52, 0.7, 0.83, 0.9, 1.2]).repeat(2)
MARGINS[8:] *= -1
BUDGET = 30_000


class Stoppable(Counting):
    """At one of its passes someone presses Ctrl-C."""

    stop = None

    def forward(self, x):
        if self.passes + 1 == self.stop:
            raise KeyboardInterrupt
        return super().forward(x)


def linear(**facts):
    """Two classes on either side of the plane through the middle of the range, across W."""
    module = nn.Linear(D, 2)
    with torch.no_grad():
        module.weight.copy_(torch.stack([-W / 2, W / 2]))
        module.bias.copy_(torch.stack([W.sum() / 4, -W.sum() / 4]))
    spec = Spec(input=Vector(shape=(D,), low=0.0, high=1.0), answer=OneClass(size=2))
    return TorchBox(module=Stoppable(module), spec=spec, **facts)


@pytest.fixture
def rows(tmp_path):
    """Rows with these margins, far from the bounds; the last has the wrong label."""
    x = 0.5 + MARGINS[:, None] * W / W.square().sum()
    y = (MARGINS > 0).long()
    y[-1] = 1
    np.savez(tmp_path / "rows.npz", x=x.numpy(), y=y.numpy())
    return tmp_path / "rows.npz"


def by_check(audit):
    return {finding.check: finding for finding in audit.findings}


def test_robust_accuracy_is_what_a_linear_model_s_margins_say(rows):
    found = by_check(run(linear(), data=rows, budget=BUDGET))
    right = MARGINS.abs()[:-1]
    expected = {
        "clean": len(right),
        "pgd-linf": int((right > 0.1 * W.abs().sum()).sum()),
        "pgd-l2": int((right > 0.2 * W.norm()).sum()),
        "hopskipjump-l2": int((right > 0.2 * W.norm()).sum()),
    }
    assert {name: round(16 * found[name].figures["accuracy"]) for name in found} == expected
    median = float((right / W.norm()).median())
    assert found["hopskipjump-l2"].figures["median_distance"] == pytest.approx(median, rel=0.05)
    assert all(
        f.figures["low"] <= f.figures["accuracy"] <= f.figures["high"] for f in found.values()
    )


class Nameless:
    """A box without a fingerprint, of which no answer can be stored."""

    def __init__(self, box):
        self.spec, self.labels, self.scores = box.spec, box.labels, box.scores
        self.logits = box.logits

    def __getitem__(self, rows):
        return self


@pytest.mark.parametrize("budget", [16 * 10, 16 * 10 + 7, 1000, BUDGET])
def test_a_budget_is_never_passed_by_the_model_s_own_count(rows, budget):
    box = linear(pad=1)
    audit = run(Nameless(box), data=rows, budget=budget)
    assert box.module.rows == audit.cost.queries <= budget
    assert box.module.passes == audit.cost.calls
    assert audit.cost.gradients == sum(found.cost.gradients for found in audit.findings)


def test_what_is_asked_twice_is_bought_once(rows):
    box = linear(pad=1)
    audit = run(box, data=rows, budget=1000)
    assert box.module.rows <= audit.cost.queries - 3 * 16  # three judges ask what the audit asked
    assert box.module.passes == audit.cost.calls


def test_padding_is_no_question(rows):
    box = linear()
    assert run(Nameless(box), data=rows, budget=1000).cost.queries == (
        box.module.rows - box.padding
    )


def test_opening_a_name_is_in_the_books():
    audit = run("builtin:digits-cnn", rows=5, budget=200)
    assert audit.opening.queries == 8
    assert audit.cost.queries == 8 + sum(found.cost.queries for found in audit.findings) <= 200


def test_the_same_seed_finds_the_same_and_the_package_offers_it_by_name(rows):
    one, two = (pellucid.audit.run(linear(), data=rows, budget=3000, seed=4) for _ in range(2))
    assert one.findings == two.findings
    assert one.findings != run(linear(), data=rows, budget=3000, seed=5).findings


def test_what_the_access_does_not_grant_is_not_tested_and_said(rows):
    box = linear()
    audit = run(box, data=rows, access="label", budget=3000)
    assert [finding.check for finding in audit.findings] == ["clean", "hopskipjump-l2"]
    assert [one.check for one in audit.not_tested] == ["pgd-linf", "pgd-l2"]
    assert "'grad'" in audit.not_tested[0].reason
    assert audit.cost.gradients == 0


def test_the_json_is_strict_and_opens_with_a_summary(rows, tmp_path):
    audit = run(linear(), data=rows, budget=3000, out=tmp_path / "out")
    told = json.loads((tmp_path / "out" / "audit.json").read_text(), parse_constant=pytest.fail)
    assert told == json.loads(audit.to_json())
    assert list(told)[:3] == ["finished", "summary", "findings"]
    assert told["finished"] is True
    assert told["summary"]["clean_accuracy"] == 15 / 16
    assert [one["attack"] for one in told["summary"]["robust_accuracy"]] == [
        "pgd",
        "pgd",
        "hopskipjump",
    ]
    assert told["data"]["rows"] == 16
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["audit.json"]


@pytest.mark.parametrize("check", range(4))
def test_a_stopped_audit_keeps_its_findings_and_goes_on(rows, tmp_path, check):
    undisturbed = run(linear(pad=1), data=rows, budget=BUDGET)
    calls = [finding.cost.calls for finding in undisturbed.findings]
    box, again = linear(pad=1), linear(pad=1)
    box.module.stop = sum(calls[:check]) + (calls[check] + 1) // 2
    with pytest.raises(Stopped) as stop:
        run(box, data=rows, budget=BUDGET, out=tmp_path)
    assert stop.value.audit.findings == undisturbed.findings[:check]
    assert not stop.value.audit.finished
    told = json.loads((tmp_path / "audit.json").read_text())
    assert told["finished"] is False
    assert len(told["findings"]) == check
    audit = run(again, data=rows, budget=BUDGET, out=tmp_path)
    assert audit.finished
    assert [f.figures for f in audit.findings] == [f.figures for f in undisturbed.findings]
    assert box.module.rows + again.module.rows <= audit.cost.queries  # what was lost is booked


def test_labels_bought_before_a_stop_are_not_bought_again(rows, tmp_path):
    boxes = linear(pad=1), linear(pad=1), linear(pad=1)
    boxes[0].module.stop = 20
    with pytest.raises(Stopped):
        run(boxes[0], data=rows, budget=3000, access="label", out=tmp_path)
    run(boxes[1], data=rows, budget=3000, access="label", out=tmp_path)
    run(boxes[2], data=rows, budget=3000, access="label")
    assert boxes[0].module.rows > 0
    assert boxes[0].module.rows + boxes[1].module.rows == boxes[2].module.rows


def test_a_stopped_audit_does_not_go_on_with_another_seed(rows, tmp_path):
    box = linear()
    box.module.stop = 10
    with pytest.raises(Stopped):
        run(box, data=rows, budget=900, out=tmp_path)
    with pytest.raises(UserError, match="another seed"):
        run(linear(), data=rows, budget=900, out=tmp_path, seed=1)


def test_progress_rises_to_the_end(rows):
    told = []
    run(linear(), data=rows, budget=3000, progress=told.append)
    shares = [progress.share for progress in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert told[-1].title == "hopskipjump-l2"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"budget": -5}, "budget of -5 questions is too little"),
        ({"budget": 16 * 10 - 1}, "give 160 or more"),
        ({"rows": 0}, "at least one row"),
        ({"access": "none"}, "An audit needs a LabelBox"),
        ({"data": None}, "Only a builtin model brings its data"),
        ({"data": "digits"}, "takes vectors of shape"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_paid(rows, change, said):
    box = linear()
    with pytest.raises(UserError, match=said) as caught:
        run(box, **{"data": rows, "budget": BUDGET} | change)
    assert str(caught.value).endswith(".")
    assert box.module.rows == 0


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (0.5, 2, "names class 2 in row 1"),
        (1.5, 0, "outside the bounds"),
        (float("nan"), 0, "NaN"),
    ],
)
def test_bad_rows_are_said_before_anything_is_paid(tmp_path, x, y, said):
    np.savez(tmp_path / "bad.npz", x=np.full((2, D), x, np.float32), y=np.array([0, y]))
    box = linear()
    with pytest.raises(UserError, match=said):
        run(box, data=tmp_path / "bad.npz", budget=BUDGET)
    assert box.module.rows == 0


def test_a_model_that_returns_a_tuple_is_named(rows):
    class Pair(nn.Module):
        def forward(self, x):
            return x[:, :2], x

    with pytest.raises(UserError, match="answers with a tuple"):
        pellucid.open(Pair(), shape=(D,))
    spec = Spec(input=Vector(shape=(D,), low=0.0, high=1.0), answer=OneClass(size=2))
    with pytest.raises(UserError, match="answered a tuple"):
        run(TorchBox(module=Pair(), spec=spec), data=rows, budget=BUDGET)


def test_the_table_fits_a_terminal_and_says_what_was_spent(rows):
    audit = run(linear(), data=rows, access="label", budget=3000)
    console = Console(width=80, record=True, file=StringIO())
    console.print(table(audit))
    text = console.export_text()
    assert "hopskipjump-l2" in text
    assert "93.8%" in text
    assert "…" not in text
    assert f"Spent {audit.cost.queries:,} of 3,000 questions" in " ".join(text.split())
    assert "Not tested: pgd-linf" in text
