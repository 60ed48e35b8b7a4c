"""Calibration: errors that are known by construction, and what temperature scaling leaves."""

import numpy as np
import pytest
import torch
from tests.audit.checks.grounds import after_accuracy, ground, only, scored

from pellucid.audit.checks.calibration import Calibration
from pellucid.box.protocols import LabelBox, ScoreBox
from pellucid.calibration import expected_calibration_error
from pellucid.errors import UserError


def sure(confidence, right, rows=1000):
    """Two classes: every row is said with one confidence, and so many are right, anywhere."""
    scores = torch.tensor([[confidence, 1 - confidence]]).log().repeat(rows, 1)
    y = (torch.randperm(rows, generator=torch.Generator().manual_seed(0)) >= right).long()
    return scored(scores, y, names=("a", "b"))


def found(box, data, **facts):
    done = Calibration()(after_accuracy(box, data, **facts), 0)
    assert box.module.rows == 0
    return done.finding


def test_one_confidence_is_off_by_what_accuracy_falls_short_of_it():
    figures = found(*sure(0.9, 700)).figures
    assert figures["ece"] == pytest.approx(0.2, abs=1e-6)
    assert figures["surplus"] == pytest.approx(0.2, abs=1e-6)
    assert figures["low"] < 0.2 < figures["high"]
    # the bootstrap of a share: 0.2 -+ 1.96 * sqrt(0.7 * 0.3 / 1000)
    assert figures["high"] == pytest.approx(0.2284, abs=0.004)
    assert figures["low"] == pytest.approx(0.1716, abs=0.004)
    # logit(0.9) / logit(0.7)
    assert figures["temperature"] == pytest.approx(np.log(9) / np.log(7 / 3), rel=1e-3)
    # each half is given the accuracy of the other, from which it differs by a few rows
    assert figures["ece_after"] < 0.04


def test_the_bins_are_those_of_the_reliability_diagram():
    one, two = sure(0.9, 700)[1], sure(0.6, 300)[1]
    scores = torch.tensor([[0.9, 0.1]] * 1000 + [[0.6, 0.4]] * 1000).log()
    box, data = scored(scores, torch.cat([one.y, two.y]), names=("a", "b"))
    low, high = found(box, data).figures["bins"]
    assert (low["rows"], low["right"], high["rows"], high["right"]) == (1000, 300, 1000, 700)
    assert low["confidence"] == pytest.approx(0.6)
    assert high["confidence"] == pytest.approx(0.9)
    assert low["low"] < low["accuracy"] == 0.3 < low["high"]


@pytest.mark.parametrize(
    ("right", "level"),
    [(900, "none"), (860, "low"), (780, "medium"), (650, "high"), (450, "critical")],
)
def test_the_upper_bound_of_the_error_decides(right, level):
    finding = found(*sure(0.9, right))
    assert finding.severity == level
    assert finding.access == "score"
    assert finding.cost.queries == 0


def test_a_model_that_is_sure_and_right_is_no_finding():
    scores = 50 * torch.eye(5).repeat(8, 1)
    finding = found(*scored(scores, torch.arange(40) % 5))
    assert finding.severity == "none"
    assert finding.figures["high"] == pytest.approx(0, abs=1e-6)


def drawn(n=3000, heat=1.0):
    """Labels that are drawn from the softmax of the scores, which are then made too bold."""
    rng = torch.Generator().manual_seed(0)
    scores = 2 * torch.randn(n, 5, generator=rng)
    y = torch.multinomial(scores.softmax(-1), 1, generator=rng)[:, 0]
    return scored(heat * scores, y)


def test_a_calibrated_model_is_no_finding_and_one_made_too_bold_is_mended_by_its_heat():
    fair, bold = found(*drawn()), found(*drawn(heat=3.0))
    assert fair.severity == "none"
    assert fair.figures["temperature"] == pytest.approx(1.0, abs=0.06)
    assert bold.figures["temperature"] == pytest.approx(3 * fair.figures["temperature"], rel=1e-6)
    assert bold.figures["ece_after"] < 0.2 * bold.figures["ece"]
    assert bold.figures["surplus"] > 0.1
    assert "surer than it is right" in bold.text


def test_the_error_is_that_of_the_calibration_module_and_the_same_each_time():
    box, data = drawn(n=300, heat=2.0)
    where = after_accuracy(box, data)
    scores = where.earlier["clean.accuracy"].arrays["scores"]
    one, two = Calibration()(where, 0).finding, Calibration()(where, 0).finding
    assert one == two
    due = expected_calibration_error(scores, data.y.numpy())
    assert one.figures["ece"] == pytest.approx(due, rel=1e-9)


def test_what_is_left_afterwards_was_not_fitted_on_itself():
    """One of the halves is right throughout, the other wrong: each misleads the other."""
    scores = torch.tensor([[0.8, 0.2]]).log().repeat(100, 1)
    y = torch.ones(100, dtype=torch.long)
    y[np.random.default_rng(0).permutation(100)[:50]] = 0
    figures = found(*scored(scores, y, names=("a", "b"))).figures
    # one temperature makes all confidences 0.5, as it should; that of the other half makes those
    # that are right 0.5, and those that are wrong 1
    assert figures["temperature"] == pytest.approx(1000.0)
    assert figures["ece_after"] == pytest.approx((0.5 + 1) / 2, abs=0.01)


def test_rows_without_finite_scores_are_left_out():
    box, data = sure(0.9, 700)
    whole = box.module.inner.function
    box.module.inner.function = lambda x: whole(x).where(x >= 10, torch.nan)
    figures = found(box, data).figures
    assert figures["rows"] == 990
    box.module.inner.function = lambda x: whole(x).where(x < 10, torch.nan)
    finding = found(box, data)
    assert finding.figures["ece"] is None
    assert finding.severity == "critical"
    assert "Only 10 of 1000 rows" in finding.text


def test_few_rows_are_refused_and_labels_are_not_enough():
    box, data = sure(0.9, 15, rows=19)
    assert "20 rows or more" in Calibration().refusal(ground(box, data))
    assert Calibration().refusal(ground(*sure(0.9, 15, rows=20))) is None
    assert Calibration().access is ScoreBox
    assert not isinstance(only(box, LabelBox), ScoreBox)


def test_too_few_resamples_are_refused():
    Calibration(resamples=39)
    with pytest.raises(UserError, match="39 resamples or more, but resamples is 38"):
        Calibration(resamples=38)
