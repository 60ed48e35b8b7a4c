"""The audit: its figures where they are known, its budget, its folder, and how it goes on."""

import json
from io import StringIO

import numpy as np
import pytest
import torch
from rich.console import Console
from tests.audit.linear import L2, MARGINS, RADII, D, W, linear, robust
from torch import nn

import pellucid
from pellucid.audit import Stopped, prepare, run
from pellucid.audit.document import read
from pellucid.audit.finding import rows_of
from pellucid.audit.store import FILE, Store
from pellucid.audit.table import findings, planned
from pellucid.box.torch_box import TorchBox
from pellucid.errors import UserError
from pellucid.spec import OneClass, Spec, Vector

CHECKS = [
    "clean.accuracy",
    "falsify.pgd.linf",
    "falsify.fmn.l2",
    "falsify.hopskipjump.l2",
    "falsify.worst.l2",
]
BUDGET = 30_000


def by_check(audit):
    return {finding.check: finding for finding in audit.findings}


def test_robust_accuracy_is_what_a_linear_model_s_margins_say(rows, plan):
    audit = run(linear(), data=rows, plan=plan)
    found = by_check(audit)
    assert list(found) == CHECKS
    assert audit.summary.clean_accuracy == 15 / 16
    for check, norm, radii in (
        ("falsify.pgd.linf", "linf", RADII),
        ("falsify.fmn.l2", "l2", L2),
        ("falsify.worst.l2", "l2", L2),
    ):
        lines = rows_of(found[check], "by_epsilon")
        assert [line["robust"] for line in lines] == [robust(norm, radius) for radius in radii]
        assert all(line["low"] <= line["accuracy"] <= line["high"] for line in lines)
    median = float((MARGINS.abs()[:-1] / W.norm()).median())
    near = found["falsify.fmn.l2"].figures["median_distance"]
    assert near == pytest.approx(median, rel=0.05)
    assert [(one.attack, one.epsilon) for one in audit.summary.robust_accuracy] == [
        *(("pgd", radius) for radius in RADII),
        *(("fmn", radius) for radius in L2),
        *(("hopskipjump", radius) for radius in L2),
    ]


class Nameless:
    """A box without a fingerprint, of which no answer can be stored."""

    def __init__(self, box):
        self.spec, self.labels, self.scores = box.spec, box.labels, box.scores
        self.logits = box.logits

    def __getitem__(self, rows):
        return self


@pytest.mark.slow
@pytest.mark.parametrize("budget", [16 * 22, 16 * 22 + 7, 1000, BUDGET])
def test_a_budget_is_never_passed_by_the_model_s_own_count(rows, plan, budget):
    box = linear(pad=1)
    audit = run(Nameless(box), data=rows, plan=plan, budget=budget)
    assert list(by_check(audit)) == CHECKS
    assert box.module.rows == audit.summary.cost.queries <= budget
    assert box.module.passes == audit.summary.cost.calls
    assert audit.summary.cost.gradients == sum(one.cost.gradients for one in audit.findings)


def test_what_a_budget_does_not_pay_for_is_not_tested_and_said(rows, plan):
    audit = run(linear(), data=rows, plan=plan, budget=16 * 5)
    assert list(by_check(audit)) == ["clean.accuracy", "falsify.fmn.l2"]
    reasons = {one.check: one.reason for one in audit.summary.not_tested}
    assert reasons["falsify.pgd.linf"] == "its 160 questions, which are more than the budget leaves"
    assert reasons["falsify.worst.l2"] == "fewer than two attacks of l2 came to their end"


def test_what_is_asked_twice_is_bought_once(rows, plan):
    box = linear(pad=1)
    audit = run(box, data=rows, plan=plan, budget=1000)
    assert box.module.rows < audit.summary.cost.queries - 2 * 16  # judges ask what was asked
    assert box.module.passes == audit.summary.cost.calls


def test_padding_is_no_question(rows, plan):
    box = linear()
    audit = run(Nameless(box), data=rows, plan=plan, budget=1000)
    assert audit.summary.cost.queries == box.module.rows - box.padding


def test_opening_a_name_is_in_the_books(tmp_path):
    (tmp_path / "plan.toml").write_text('rows = 5\n[[check]]\nkind = "clean.accuracy"')
    audit = run("builtin:digits-cnn", plan=str(tmp_path / "plan.toml"))
    assert audit.opening.queries == 8
    assert audit.summary.cost.queries == 8 + 5


@pytest.mark.slow
def test_the_same_seed_finds_the_same_and_the_package_offers_it_by_name(rows, plan):
    one, two = (
        pellucid.audit.run(linear(), data=rows, plan=plan, budget=3000, seed=4) for _ in range(2)
    )
    assert one.findings == two.findings
    other = run(linear(), data=rows, plan=plan, budget=3000, seed=5)
    assert one.findings != other.findings


def test_what_the_access_does_not_grant_is_not_tested_and_said(rows, plan):
    box = linear()
    audit = run(box, data=rows, plan=plan, access="label", budget=3000)
    assert list(by_check(audit)) == ["clean.accuracy", "falsify.hopskipjump.l2"]
    reasons = {one.check: one.reason for one in audit.summary.not_tested}
    assert "'gradient'" in reasons["falsify.pgd.linf"]
    assert audit.summary.cost.gradients == 0


def test_the_json_is_strict_opens_with_a_summary_and_can_be_read_again(rows, plan, tmp_path):
    audit = run(linear(), data=rows, plan=plan, budget=3000, out=tmp_path / "out")
    text = (tmp_path / "out" / "audit.json").read_text()
    told = json.loads(text, parse_constant=pytest.fail)
    assert read(text) == audit
    assert list(told)[:2] == ["summary", "findings"]
    assert told["finished"] is True
    assert list(told["summary"]) == [
        "severity",
        "clean_accuracy",
        "clean_reason",
        "robust_accuracy",
        "cost",
        "not_tested",
    ]
    names = ["adversarial.npz", "audit.json", "audit.sarif", "audit.sqlite", "report.html"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names


def test_the_adversarial_rows_are_where_the_findings_say(rows, plan, tmp_path):
    audit = run(linear(), data=rows, plan=plan, out=tmp_path / "out")
    found = by_check(audit)["falsify.fmn.l2"]
    file, _, name = found.artefacts["adversarial"].partition(":")
    with np.load(tmp_path / "out" / file) as arrays:
        moved, x, y = arrays[name], arrays["x"], arrays["y"]
        said = arrays["falsify.fmn.l2/labels_after"]
    delta = np.linalg.norm(moved - x, axis=1)
    assert np.allclose(delta[:-1], MARGINS.abs()[:-1] / W.norm(), rtol=0.05)
    assert (said[:-1] != y[:-1]).all()
    assert said[-1] == -1  # it was wrong from the start, so that nothing was moved


@pytest.mark.parametrize(
    "check",
    [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow), 3],
)
def test_a_stopped_audit_keeps_its_findings_and_goes_on(rows, plan, tmp_path, check):
    undisturbed = run(linear(pad=1), data=rows, plan=plan)
    calls = [finding.cost.calls for finding in undisturbed.findings]
    box, again, folder = linear(pad=1), linear(pad=1), tmp_path / "out"
    box.module.stop = sum(calls[:check]) + (calls[check] + 1) // 2
    with pytest.raises(Stopped) as stop:
        run(box, data=rows, plan=plan, out=folder)
    assert stop.value.audit.findings == tuple(read((folder / "audit.json").read_text()).findings)
    assert len(stop.value.audit.findings) == check
    assert not stop.value.audit.finished
    audit = run(again, data=rows, plan=plan, out=folder, resume=True)
    assert audit.finished
    assert [f.figures for f in audit.findings] == [f.figures for f in undisturbed.findings]
    assert box.module.rows + again.module.rows <= audit.summary.cost.queries
    assert not (folder / "unfinished").exists()


def test_labels_bought_before_a_stop_are_not_bought_again(rows, plan, tmp_path):
    boxes, folder = (linear(pad=1), linear(pad=1), linear(pad=1)), tmp_path / "out"
    shared = {"data": rows, "plan": plan, "budget": 3000, "access": "label"}
    boxes[0].module.stop = 20
    with pytest.raises(Stopped):
        run(boxes[0], **shared, out=folder)
    run(boxes[1], **shared, out=folder, resume=True)
    run(boxes[2], **shared)
    assert boxes[0].module.rows > 0
    assert boxes[0].module.rows + boxes[1].module.rows == boxes[2].module.rows


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"seed": 1}, "seed"),
        ({"budget": 901}, "budget"),
        ({"access": "label"}, "access"),
        ({"rows": 15}, "data"),
    ],
)
def test_a_stopped_audit_does_not_go_on_as_another(rows, plan, tmp_path, change, what):
    box, folder = linear(), tmp_path / "out"
    box.module.stop = 10
    shared = {"data": rows, "plan": plan, "budget": 900, "out": folder}
    with pytest.raises(Stopped):
        run(box, **shared)
    again = linear()
    with pytest.raises(UserError, match=f"another {what}"):
        run(again, **shared | change, resume=True)
    assert again.module.rows == 0


@pytest.mark.slow
def test_another_model_or_plan_does_not_go_on_either(rows, plan, tmp_path):
    shared = {"data": rows, "budget": 900, "out": tmp_path / "out"}
    run(linear(), **shared, plan=plan)
    other = linear()
    nn.init.zeros_(other.module.inner.bias)
    with pytest.raises(UserError, match="another model"):
        run(other, **shared, plan=plan, resume=True)
    (tmp_path / "other.toml").write_text('[[check]]\nkind = "clean.accuracy"')
    with pytest.raises(UserError, match="another plan"):
        run(linear(), **shared, plan=str(tmp_path / "other.toml"), resume=True)


def test_resuming_a_finished_audit_writes_its_reports_anew_and_asks_nothing(rows, plan, tmp_path):
    shared = {"data": rows, "plan": plan, "budget": 3000, "out": tmp_path / "out"}
    first = run(linear(), **shared)
    for name in ("report.html", "audit.sarif", "adversarial.npz", "audit.json"):
        (tmp_path / "out" / name).unlink()
    box = linear()
    again = run(box, **shared, resume=True)
    assert box.module.rows == 0
    assert again.findings == first.findings
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000


def test_an_older_audit_is_moved_aside(rows, plan, tmp_path):
    shared = {"data": rows, "plan": plan, "budget": 400, "out": tmp_path / "out"}
    first = run(linear(), **shared)
    run(linear(), **shared, seed=1)
    with Store(tmp_path / "out.1" / FILE) as store:
        assert tuple(store.findings()) == first.findings


@pytest.mark.slow
def test_time_that_is_over_is_said_and_another_call_goes_on(rows, plan, tmp_path):
    shared = {"data": rows, "plan": plan, "out": tmp_path / "out"}
    late = run(linear(), **shared, seconds=1e-9)
    assert not late.finished
    assert {one.reason for one in late.summary.not_tested if one.check in CHECKS} == {
        "the time that was allowed, which was over"
    }
    assert (
        run(linear(), **shared, resume=True).findings
        == run(linear(), data=rows, plan=plan).findings
    )


def test_a_model_at_chance_stops_with_a_cause(plan, tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.random((60, D), np.float32), rng.integers(0, 2, 60)
    np.savez(tmp_path / "rows.npz", x=x, y=y)
    audit = run(linear(), data=tmp_path / "rows.npz", plan=plan, rows=60, out=tmp_path / "out")
    assert list(by_check(audit)) == ["clean.accuracy"]
    assert audit.stopped is not None
    assert "chance" in audit.stopped
    assert by_check(audit)["clean.accuracy"].severity == "critical"


def test_progress_rises_to_the_end(rows, plan):
    told = []
    run(linear(), data=rows, plan=plan, budget=3000, progress=told.append)
    shares = [progress.share for progress in told]
    assert shares == sorted(shares)
    assert told[-1].title == "falsify.hopskipjump.l2"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"budget": -5}, "nothing can be tested"),
        ({"budget": 15}, "more than the budget leaves"),
        ({"rows": 0}, "at least one row"),
        ({"access": "none"}, "An audit needs a LabelBox"),
        ({"data": None}, "Only a builtin model brings its data"),
        ({"data": "digits"}, "takes vectors of shape"),
        ({"seconds": 0.0}, "needs time"),
        ({"plan": "quik"}, "did you mean quick"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_paid(rows, plan, change, said):
    box = linear()
    with pytest.raises(UserError, match=said) as caught:
        run(box, **{"data": rows, "budget": BUDGET, "plan": plan} | change)
    assert str(caught.value)[-1] in ".?"
    assert box.module.rows == 0


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (0.5, 2, "names class 2 in row 1"),
        (1.5, 1, "outside the bounds"),
        (float("nan"), 1, "NaN"),
        (0.5, 0, "all of one class"),
    ],
)
def test_bad_rows_are_said_before_anything_is_paid(tmp_path, plan, x, y, said):
    np.savez(tmp_path / "bad.npz", x=np.full((2, D), x, np.float32), y=np.array([0, y]))
    box = linear()
    with pytest.raises(UserError, match=said):
        run(box, data=tmp_path / "bad.npz", plan=plan)
    assert box.module.rows == 0


def test_a_model_that_returns_a_tuple_is_named(rows, plan):
    class Pair(nn.Module):
        def forward(self, x):
            return x[:, :2], x

    with pytest.raises(UserError, match="answers with a tuple"):
        pellucid.open(Pair(), shape=(D,))
    spec = Spec(input=Vector(shape=(D,), low=0.0, high=1.0), answer=OneClass(size=2))
    with pytest.raises(UserError, match="answered a tuple"):
        run(TorchBox(module=Pair(), spec=spec), data=rows, plan=plan)


def text_of(renderable):
    console = Console(width=80, record=True, file=StringIO())
    console.print(renderable)
    return console.export_text()


def test_the_tables_fit_a_terminal_and_say_what_was_spent(rows, plan):
    shared = {"data": rows, "plan": plan, "access": "label", "budget": 3000}
    before = text_of(planned(prepare(linear(), **shared)))
    assert "falsify.hopskipjump.l2" in before
    assert "Not tested: falsify.pgd.linf" in before
    audit = run(linear(), **shared)
    after = text_of(findings(audit))
    assert "93.8%" in after
    assert "…" not in after
    assert f"Spent {audit.summary.cost.queries:,} of 3,000 questions" in " ".join(after.split())


def test_a_plan_in_advance_asks_nothing(rows, plan):
    box = linear()
    prepared = prepare(box, data=rows, plan=plan, budget=3000)
    assert [part.check.name for part in prepared.planned] == CHECKS
    assert sum(part.budget for part in prepared.planned) <= 3000
    assert box.module.rows == 0


class Kinds:
    """A box that writes down what kind of question it is asked."""

    def __init__(self, box):
        self.box, self.spec, self.asked = box, box.spec, set()

    def fingerprint(self):
        return self.box.fingerprint()

    def labels(self, x):
        self.asked.add("labels")
        return self.box.labels(x)

    def scores(self, x):
        self.asked.add("scores")
        return self.box.scores(x)

    def logits(self, x):
        self.asked.add("logits")
        return self.box.logits(x)

    def __getitem__(self, rows):
        return self


@pytest.mark.parametrize(
    ("access", "kinds", "methods"),
    [
        ("label", {"labels"}, ["hopskipjump"]),
        ("score", {"labels", "scores"}, ["square", "hopskipjump"]),
        ("gradient", {"labels", "scores", "logits"}, ["pgd", "square", "hopskipjump"]),
    ],
)
def test_what_is_asked_is_what_the_access_grants(rows, tmp_path, access, kinds, methods):
    path = tmp_path / "all.toml"
    attack = (
        '[[check]]\nkind = "falsify"\nsystem = "{}"\nnorm = "l2"\nradii = [0.1]\nqueries = 30\n'
    )
    path.write_text(
        '[[check]]\nkind = "clean.accuracy"\n'
        + "".join(attack.format(name) for name in ("pgd", "square", "hopskipjump"))
    )
    box = Kinds(linear())
    audit = run(box, data=rows, plan=str(path), access=access)
    assert [one.system for one in audit.findings[1:]] == methods
    assert box.asked == kinds
    assert (audit.summary.cost.gradients > 0) == (access == "gradient")


def test_a_nearest_prototype_s_robust_accuracy_is_told_right(tmp_path):
    generator = torch.Generator().manual_seed(0)
    prototypes = torch.rand(4, D, generator=generator)
    x = (prototypes.repeat(8, 1) + 0.15 * torch.randn(32, D, generator=generator)).clamp(0.02, 0.98)
    squares = torch.cdist(x, prototypes).square()
    y = squares.argmin(1)
    gaps = torch.cdist(prototypes, prototypes)[y]
    margins = (squares - squares.gather(1, y[:, None])) / (2 * gaps)
    exact = (
        margins.nan_to_num(nan=torch.inf).masked_fill(gaps == 0, torch.inf).amin(1).sort().values
    )
    radii = [float(exact[i] + exact[i + 1]) / 2 for i in (8, 16, 24)]
    module = nn.Linear(D, 4)  # the squared distances, less what all have in common
    with torch.no_grad():
        module.weight.copy_(2 * prototypes)
        module.bias.copy_(-prototypes.square().sum(1))
    np.savez(tmp_path / "rows.npz", x=x.numpy(), y=y.numpy())
    (tmp_path / "plan.toml").write_text(
        '[[check]]\nkind = "clean.accuracy"\n[[check]]\nkind = "falsify"\nsystem = "fmn"\n'
        f'norm = "l2"\nradii = {radii}\nsettings = {{ steps = 300 }}\n'
    )
    box = pellucid.open(module, access="white", shape=(D,), bounds=(-9.0, 9.0), emits="logits")
    audit = run(box, data=tmp_path / "rows.npz", plan=str(tmp_path / "plan.toml"))
    lines = rows_of(audit.findings[1], "by_epsilon")
    assert [line["robust"] for line in lines] == [32 - 9, 32 - 17, 32 - 25]
