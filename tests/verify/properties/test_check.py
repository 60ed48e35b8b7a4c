"""Checking properties: verdicts against known answers, books, access, clocks, bad input."""

import csv
import itertools
import os
from dataclasses import fields
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from tests.verify.properties.nets import NODE, linear, network, opened, prop, saved

from pellucid.box.protocols import AccessDenied
from pellucid.errors import UserError
from pellucid.opening import understand
from pellucid.opening.facts import Facts
from pellucid.verify.properties.bisect import Bisect
from pellucid.verify.properties.check import check_property
from pellucid.verify.properties.falsify import Falsify
from pellucid.verify.properties.instance import Instance
from pellucid.verify.properties.property import BadProperty, Property
from pellucid.verify.properties.raw import raw
from pellucid.verify.properties.vnnlib import read

QUICK = Falsify(rounds=2, points=40, restarts=4, steps=10)
FOLDER = Path(os.environ.get("PELLUCID_DATA", "")) / "vnncomp2021"
ABOVE = [((-1.0, 0.0), -1.0)]  # y0 >= 1


def confirmed(path, question, verdict):
    """Whether onnxruntime gives the counterexample's output, and it is one."""
    x, y = verdict.counterexample.x, verdict.counterexample.y
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    shape = session.get_inputs()[0].shape
    given = np.array(x, np.float32)
    assert given.astype(np.float64).tolist() == list(x)
    (got,) = session.run(None, {session.get_inputs()[0].name: given.reshape(shape)})
    assert got.ravel().tolist() == list(y)
    return question.violated(torch.tensor(x, dtype=torch.float64), y)


@pytest.mark.parametrize(("end", "due"), [(2.999, "violated"), (3.0, "violated"), (3.001, "holds")])
def test_a_linear_model_is_decided_up_to_its_very_corner(tmp_path, end, due):
    # y0 = x0 + 2 x1 on [0, 1]^2 has its largest value, 3, in one corner
    path = linear(tmp_path, [[1.0, 0.0], [2.0, 0.0]])
    question = prop([0.0, 0.0], [1.0, 1.0], [((-1.0, 0.0), -end)])
    found = check_property(opened(path), question, verifiers=(QUICK, Bisect()))
    assert found.verdict.answer == due
    if due == "violated":
        assert confirmed(path, question, found.verdict)


@pytest.mark.parametrize("seed", range(3))
def test_networks_are_decided_as_a_fine_grid_says(tmp_path, seed):
    path = network(tmp_path, seed)
    model = opened(path)
    axis = torch.linspace(-1, 1, 201)
    y = model.box.scores(torch.cartesian_prod(axis, axis))
    lead = (y[:, 0] - y[:, 1]).double()
    spread = float(lead.max() - lead.min())
    for far, due in ((-0.02, "violated"), (0.05, "holds")):
        bound = -float(lead.max()) - far * spread
        question = prop([-1.0, -1.0], [1.0, 1.0], [((-1.0, 1.0), bound)])
        found = check_property(model, question, verifiers=(QUICK, Bisect(batch=64)))
        assert found.verdict.answer == due, found
        if due == "violated":
            assert confirmed(path, question, found.verdict)


def test_bisection_alone_finds_what_its_boxes_come_upon(tmp_path):
    model = opened(network(tmp_path))
    y = model.box.scores(torch.rand(500, 2) * 2 - 1)
    middle = -float((y[:, 0] - y[:, 1]).median())
    question = prop([-1.0, -1.0], [1.0, 1.0], [((-1.0, 1.0), middle)])
    found = check_property(model, question, verifiers=(Bisect(),))
    assert found.verdict.answer == "violated"
    assert found.cost.queries == found.cost.gradients + 1


def test_without_questions_boxes_are_halved_where_they_are_widest(tmp_path):
    path = network(tmp_path)
    axis = torch.linspace(-1, 1, 101)
    top = float(opened(path).box.scores(torch.cartesian_prod(axis, axis))[:, 0].max())
    question = prop([-1.0, -1.0], [1.0, 1.0], [((-1.0, 0.0), -top - 0.2 * abs(top))])
    found = check_property(opened(path), question, budget=0)
    assert found.verdict.answer == "holds"
    assert found.cost.queries == 0


def test_every_polytope_and_every_region_counts(tmp_path):
    path = linear(tmp_path, np.eye(2))
    low, high = prop([0.0, 0.0], [1.0, 1.0], ABOVE), prop([2.0, 2.0], [3.0, 3.0], ABOVE)
    apart = prop([0.0, 0.0], [0.5, 0.5], ABOVE, [((0.0, -1.0), -0.25)])
    both = Property(cases=(*prop([0.0, 0.0], [0.5, 0.5], ABOVE).cases, *high.cases))
    for question, due in ((low, "violated"), (apart, "violated"), (both, "violated")):
        found = check_property(opened(path), question, verifiers=(QUICK, Bisect()))
        assert found.verdict.answer == due
        assert confirmed(path, question, found.verdict)
    # y0 >= 1 and y1 <= 0.25 at once
    joint = [*ABOVE, ((0.0, 1.0), 0.25)]
    hold = prop([0.0, 0.5], [2.0, 1.0], joint)
    assert check_property(opened(path), hold).verdict.answer == "holds"


def test_an_input_that_no_float_can_take_is_proven_or_left_open(tmp_path):
    path = linear(tmp_path, [[1.0, 0.0]])
    fixed = [0.1], [0.1]
    holds = prop(*fixed, ABOVE)
    assert check_property(opened(path), holds).verdict.answer == "holds"
    found = check_property(opened(path), prop(*fixed, [((-1.0, 0.0), -0.05)]), seconds=5.0)
    assert found.verdict.answer == "unknown"
    assert "even at a single point" in found.verdict.reason


# --- books, access, clocks -------------------------------------------------------------------


@pytest.mark.parametrize("budget", [0, 1, 17, 100, 1000])
def test_no_budget_is_passed_and_nothing_is_off_the_books(tmp_path, budget):
    known = understand(network(tmp_path))
    model = raw(known)
    rows = []
    handle = known.model.register_forward_hook(lambda _m, args, _out: rows.append(len(args[0])))
    question = prop([-1.0, -1.0], [1.0, 1.0], [((-1.0, 0.0), -1e4)], [((0.0, -1.0), -1e4)])
    found = check_property(model, question, budget=budget, verifiers=(QUICK,))
    handle.remove()
    assert found.cost.queries <= budget
    assert found.cost.calls == len(rows)
    assert found.cost.queries <= sum(rows) <= found.cost.queries + 3 * len(rows)  # padding
    assert found.verdict.answer == "unknown"
    if budget >= 1000:  # each round asks for 40 points and takes 4 ascents of 10 steps
        assert found.cost.gradients == 2 * 4 * 10


def test_scores_alone_are_searched_without_gradients(tmp_path):
    path = linear(tmp_path, np.eye(2))
    found = check_property(opened(path, "score"), prop([0.0, 0.0], [1.0, 1.0], ABOVE))
    assert found.verdict.answer == "violated"
    never = check_property(opened(path, "score"), prop([0.0, 0.0], [0.5, 1.0], ABOVE))
    assert (never.verdict.answer, never.cost.gradients) == ("unknown", 0)
    with pytest.raises(AccessDenied, match="needs a ScoreBox"):
        opened(path, "label")


def test_gradients_without_the_network_prove_nothing(tmp_path):
    path = linear(tmp_path, np.eye(2))
    found = check_property(
        opened(path, "gradient"), prop([0.0, 0.0], [0.5, 1.0], ABOVE), verifiers=(QUICK, Bisect())
    )
    assert found.verdict.answer == "unknown"
    assert found.cost.gradients > 0


def test_the_same_seed_finds_the_same(tmp_path):
    path = network(tmp_path)
    question = prop([-1.0, -1.0], [1.0, 1.0], [((-1.0, 0.0), 0.0)])
    one, two = (check_property(opened(path), question, seed=3) for _ in range(2))
    assert one.verdict == two.verdict
    assert one.cost == two.cost


def test_the_clock_ends_it(tmp_path):
    path = network(tmp_path, sizes=(6, 64, 64, 2))
    model = opened(path)
    y = model.box.scores(torch.rand(2000, 6) * 2 - 1)
    close = prop([-1.0] * 6, [1.0] * 6, [((-1.0, 0.0), -3 * float(y[:, 0].max()))])
    found = check_property(model, close, seconds=0.3, verifiers=(Bisect(batch=4),))
    assert found.verdict.answer == "unknown"
    assert "the time was over" in found.verdict.reason
    assert found.seconds < 5
    for seconds in (0.0, -1.0, float("nan")):
        with pytest.raises(UserError, match="in some seconds, above 0"):
            check_property(model, close, seconds=seconds)


def test_a_point_is_replayed_as_the_model_takes_it(tmp_path):
    model = opened(linear(tmp_path, [[1.0, 0.0]]))
    question = prop([0.0], [0.1], [((-1.0, 0.0), -0.1)])  # y0 >= 0.1, which is no float32
    instance = Instance(model, question, budget=1)
    assert instance.replayed(torch.tensor([0.1], dtype=torch.float64)) is None
    assert instance.cost.queries == instance.cost.calls == 1
    assert instance.left == 0
    near = prop([0.0], [0.125], [((-1.0, 0.0), -0.125)])
    assert Instance(model, near, budget=0).replayed(torch.tensor([0.125])) is None
    assert Instance(model, near).replayed(torch.tensor([0.125])).y == (0.125, 0.0)


def test_a_model_in_its_own_order_of_axes(tmp_path):
    weight = np.zeros((1, 24, 2))
    weight[0, 5, 0] = 1.0  # the sixth number of the file's own (2, 4, 3)
    nodes = [NODE("Flatten", ["x"], ["f"]), NODE("MatMul", ["f", "w"], ["y"])]
    path = saved(tmp_path / "hwc.onnx", nodes, (2, 4, 3), 2, w=weight[0])
    told = Facts(layout="hwc", mean=(0.5,), std=(0.1,), emits="logits")
    model = raw(understand(path, declared=told))
    high = [0.0] * 24
    high[5] = 2.0
    question = prop([0.0] * 24, high, ABOVE)
    found = check_property(model, question, verifiers=(QUICK,))
    assert found.verdict.counterexample.x[5] == found.verdict.counterexample.y[0] >= 1
    assert confirmed(path, question, found.verdict)


def test_a_module_without_a_graph_is_searched_and_not_proven():
    module = torch.nn.Sequential(torch.nn.Linear(2, 2))
    model = raw(understand(module, declared=Facts(shape=(2,), emits="values")))
    far = prop([0.0, 0.0], [1.0, 1.0], [((1.0, 0.0), -1e3)])
    found = check_property(model, far, verifiers=(QUICK, Bisect()))
    assert found.verdict.reason == "there are bounds for ONNX graphs alone"
    near = prop([0.0, 0.0], [1.0, 1.0], [((1.0, 0.0), 1e3)])
    assert check_property(model, near, verifiers=(QUICK,)).verdict.answer == "violated"


def test_a_property_of_another_model_is_refused(tmp_path):
    model = opened(linear(tmp_path, np.eye(2)))
    with pytest.raises(BadProperty, match="speaks of 3 inputs and 2 outputs, but the model has 2"):
        check_property(model, prop([0.0] * 3, [1.0] * 3, ABOVE))


@pytest.mark.parametrize("name", [field.name for field in fields(Falsify)])
def test_falsify_refuses_to_do_nothing(name):
    with pytest.raises(UserError, match="at least one round"):
        Falsify(**{name: 0})


# --- the competition -------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif("PELLUCID_DATA" not in os.environ, reason="PELLUCID_DATA is not set")
@pytest.mark.parametrize(("name", "every", "least"), [("acasxu", 31, 3), ("mnistfc", 30, 1)])
def test_no_verdict_on_the_competition_is_wrong(name, every, least):
    with (FOLDER / name / "expected.csv").open() as file:
        rows = [*itertools.islice(csv.DictReader(file), 4, None, every)]
    answers = {"holds": "unsat", "violated": "sat"}
    decided = 0
    for row in rows:
        path, question = str(FOLDER / name / row["onnx"]), read(FOLDER / name / row["vnnlib"])
        found = check_property(opened(path), question, seconds=5.0)
        if found.verdict.decided and row["verdict"] != "unknown":
            assert answers[found.verdict.answer] == row["verdict"], row
            decided += 1
        if found.verdict.answer == "violated":
            assert confirmed(path, question, found.verdict)
    assert decided >= least
