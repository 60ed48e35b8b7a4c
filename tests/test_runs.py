"""Runs: their figures, their files, and how a later part replaces rows."""

from dataclasses import fields, replace

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from pellucid.errors import UserError
from pellucid.runs import Interrupted, Run, Status

X = torch.tensor([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [5.0, 5.0]])


def finished():
    """Four rows: two successes, one failure, one met before the attack."""
    return replace(
        Run.blank("{}", X, 1),
        adversarial=X + torch.tensor([[3.0, 4.0], [0.0, 0.0], [-1.0, 0.0], [0.0, 0.0]]),
        success=torch.tensor([True, False, True, True]),
        status=(Status.DONE, Status.SPENT, Status.DONE, Status.MET),
        queries=torch.tensor([10, 20, 6, 0]),
        gradients=torch.tensor([1, 2, 3, 0]),
        paid=torch.tensor([10, 19, 6, 0]),
        judged=torch.tensor([1, 2, 1, 1]),
        surrogate_queries=torch.tensor([[4, 3, 2, 1]]),
        surrogate_gradients=torch.tensor([[0, 0, 7, 0]]),
        found_row=torch.tensor([3, 0, 2, 0]),
        found_query=torch.tensor([0, 2, 3, 9]),
        found_distance=torch.tensor([0.0, 9.0, 1.0, 5.0]),
        calls=20,
        judge_calls=2,
        seconds=1.5,
    )


def same(a, b):
    for field in fields(Run):
        one, other = getattr(a, field.name), getattr(b, field.name)
        assert torch.equal(one, other) if isinstance(one, Tensor) else one == other, field.name


def test_distances():
    run = finished()
    assert run.distance("l2").tolist() == [5.0, torch.inf, 1.0, 0.0]
    assert run.distance("linf").tolist() == [4.0, torch.inf, 1.0, 0.0]


def test_summary():
    got = finished().summary()
    assert got["rows"] == 4
    assert got["attacked"] == 3
    assert got["succeeded"] == 2
    assert got["success_rate"] == pytest.approx(2 / 3)
    assert got["mean_queries"] == 12
    assert got["most_queries"] == 20
    assert got["paid"] == 35
    assert got["judged"] == 5
    assert got["status"] == {"done": 2, "budget spent": 1, "met before the attack": 1}
    assert got["reproducible"] is True


def test_the_median_of_two_lies_between_them():
    assert finished().summary()["median_l2"] == pytest.approx(3.0)


def test_a_blank_run():
    run = Run.blank("{}", X, 2)
    assert len(run) == 4
    assert not run.finished.any()
    assert run.distance("l2").tolist() == [torch.inf] * 4
    assert run.summary()["status"] == {"not reached": 4}
    assert run.surrogate_queries.shape == (2, 4)


@pytest.mark.parametrize("run", [finished(), Run.blank("{}", X, 2), Run.blank("{}", X, 0)])
def test_files_hold_everything(run, tmp_path):
    path = tmp_path / "deep" / "run.safetensors"
    run.save(path)
    same(Run.load(path), run)
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    run.save(path)
    same(Run.load(path), run)


def test_other_files_are_named(tmp_path):
    text, other = tmp_path / "text", tmp_path / "other"
    text.write_text("no run")
    save_file({"a": torch.zeros(1)}, other)
    foreign = tmp_path / "foreign"
    save_file({"a": torch.zeros(1)}, foreign, {"run": '{"status": ["done"]}'})
    broken = tmp_path / "broken"
    save_file({"a": torch.zeros(1)}, broken, {"run": "{"})
    for path in (text, other, foreign, broken, tmp_path / "missing"):
        with pytest.raises(UserError, match=f"{path.name} holds no saved run"):
            Run.load(path)


def test_what_is_finished():
    run = replace(
        finished(), status=(Status.DONE, Status.CLOCK, Status.INTERRUPTED, Status.PENDING)
    )
    assert run.finished.tolist() == [True, False, False, False]
    assert not run.reproducible


def test_rows_are_replaced_and_payments_add_up():
    run = finished()
    rows = torch.tensor([2, 0])
    part = replace(
        Run.blank("{}", X[rows], 1),
        success=torch.tensor([True, False]),
        status=(Status.DONE, Status.SPENT),
        queries=torch.tensor([8, 9]),
        paid=torch.tensor([1, 2]),
        found_row=torch.tensor([0]),
        found_query=torch.tensor([5]),
        found_distance=torch.tensor([0.5]),
        calls=3,
        judge_calls=1,
        seconds=0.25,
    )
    whole = run.with_rows(rows, part)
    assert whole.success.tolist() == [False, False, True, True]
    assert whole.status == (Status.SPENT, Status.SPENT, Status.DONE, Status.MET)
    assert whole.queries.tolist() == [9, 20, 8, 0]
    assert whole.paid.tolist() == [12, 19, 7, 0]
    assert whole.surrogate_queries.tolist() == [[0, 3, 0, 1]]
    assert torch.equal(whole.adversarial[:3], X[:3])
    assert whole.found_row.tolist() == [3, 2]
    assert whole.found_query.tolist() == [0, 5]
    assert (whole.calls, whole.judge_calls, whole.seconds) == (23, 3, 1.75)
    same(run, finished())


def test_interrupted_carries_what_was_found():
    assert Interrupted(finished()).run.success.any()
    assert isinstance(Interrupted(finished()), KeyboardInterrupt)
