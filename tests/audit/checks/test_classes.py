"""Accuracy by class: which class is the worst, and what it is taken for."""

from dataclasses import replace

import pytest
import torch
from tests.audit.checks.grounds import LIMITS, after_accuracy, ground, saying

from pellucid.audit.check import CannotTest
from pellucid.audit.checks.classes import Classes
from pellucid.audit.severity import Steps
from pellucid.errors import UserError


def found(said, y, classes, **facts):
    box, data = saying(torch.tensor(said), torch.tensor(y), classes, **facts.pop("data", {}))
    done = Classes()(after_accuracy(box, data, **facts), 0)
    assert box.module.rows == 0
    return done.finding


def test_each_class_is_counted_and_the_worst_named():
    y = [0] * 50 + [1] * 40 + [2] * 30
    said = [0] * 50 + [2] * 10 + [1] * 30 + [2] * 29 + [0]
    finding = found(said, y, 3, data={"names": ("cat", "dog", "fox")})
    assert finding.figures["worst_class"] == "dog"
    assert finding.figures["accuracy"] == 0.75
    told = {line["class"]: (line["right"], line["rows"]) for line in finding.figures["classes"]}
    assert told == {"cat": (50, 50), "dog": (30, 40), "fox": (29, 30)}
    assert finding.figures["confusions"] == [
        {"true": "dog", "said": "fox", "rows": 10, "of": 40},
        {"true": "fox", "said": "cat", "rows": 1, "of": 30},
    ]
    assert "takes 'dog' for 'fox', on 10 of 40 rows" in finding.text
    assert finding.cost.queries == 0


def test_no_more_than_three_confusions_are_told_the_most_frequent_first():
    y = [0] * 10
    said = [1] * 1 + [2] * 4 + [3] * 2 + [4] * 3
    lines = found(said, y, 5).figures["confusions"]
    assert [(line["said"], line["rows"]) for line in lines] == [("2", 4), ("4", 3), ("3", 2)]


def test_the_class_that_a_model_always_says_is_faultless_and_the_other_critical():
    finding = found([0] * 80, [0] * 40 + [1] * 40, 2)
    assert (finding.figures["worst_class"], finding.severity) == ("class 1", "critical")
    right = [line["right"] for line in finding.figures["classes"]]
    assert right == [40, 0]


@pytest.mark.parametrize("rows", [1, 5, 22, 23, 100])
def test_a_perfect_model_is_no_finding_however_few_the_rows(rows):
    y = [0] * rows + [1] * rows
    assert found(y, y, 2).severity == "none"


@pytest.mark.parametrize(
    ("right", "rows", "level"),
    [
        (30, 30, "none"),  # lower bound 0.884
        (99, 100, "none"),  # 0.946
        (90, 100, "low"),  # 0.824
        (80, 100, "medium"),  # 0.708
        (60, 100, "high"),  # 0.497
        (30, 100, "critical"),  # 0.212
        (21, 22, "none"),  # too few to pass, so by the upper bound, 0.999
        (12, 22, "low"),  # 0.756
        (11, 22, "medium"),  # 0.718
        (0, 22, "critical"),
    ],
)
def test_the_levels_are_those_of_the_limits(right, rows, level):
    y = [0] * 1000 + [1] * rows
    said = [0] * 1000 + [1] * right + [0] * (rows - right)
    assert found(said, y, 2).severity == level


def test_of_classes_that_are_as_bad_the_one_of_the_least_share_is_named():
    y = [0] * 20 + [1] * 300 + [2] * 300
    assert found([0] * 20 + [1] * 299 + [0] + [2] * 300, y, 3).figures["worst_class"] == "class 1"


def test_the_plan_s_limits_decide():
    limits = replace(LIMITS, class_accuracy=Steps(low=0.99, medium=0.98, high=0.97, critical=0.96))
    y = [0] * 1000 + [1] * 1000
    assert found([*y[:-40], *[0] * 40], y, 2, limits=limits).severity == "critical"


def test_a_row_without_an_answer_is_wrong_but_taken_for_nothing():
    y = torch.zeros(30, dtype=torch.long)
    box, data = saying(y, y, 2)
    box.module.inner.function = lambda x: torch.where(x < 5, torch.nan, 0) + torch.tensor([1.0, 0])
    finding = Classes()(after_accuracy(box, data), 0).finding
    assert finding.figures["right"] == 25
    assert finding.figures["confusions"] == []


def test_a_class_that_the_data_does_not_name_goes_by_its_number():
    finding = found([7] * 3 + [0] * 30, [0] * 33, 8, data={"names": ("<b>it</b>",)})
    assert finding.figures["confusions"][0]["said"] == "7"
    assert finding.figures["worst_class"] == "<b>it</b>"


def test_without_the_first_check_it_cannot_be_made():
    y = torch.zeros(3, dtype=torch.long)
    with pytest.raises(CannotTest, match=r"clean\.accuracy"):
        Classes()(ground(*saying(y, y, 2)), 0)


def test_fewer_than_no_confusions_are_refused():
    assert found([0, 1], [0, 0], 2).figures["confusions"]
    with pytest.raises(UserError, match="pairs is -1"):
        Classes(pairs=-1)
