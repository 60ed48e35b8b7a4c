"""Which rows are shown as examples, and what is told of them."""

import numpy as np
import pytest
from tests.audit.report import documents

from pellucid.audit.report.examples import MOST, examples
from pellucid.audit.report.gallery import charts, gallery, scores
from pellucid.audit.report.subjects import Subjects

ROWS = 8
X = np.arange(ROWS * 3, dtype=np.float32).reshape(ROWS, 3)
Y = np.array([0, 0, 0, 0, 1, 1, 2, 3])
NAMES = ("cat", "dog", "eel", "fox")


def attacked(slug, distance, rows=None):
    """A finding with the arrays of an attack that moved the first value of each row."""
    one = documents.finding(f"falsify.{slug}.l2", figures={"norm": "l2"}, system=slug)
    moved = X[: len(distance)].copy() if rows is None else X[rows].copy()
    moved[:, 0] += 100
    arrays = {"adversarial": moved, "distance": np.array(distance, np.float32),
              "labels_after": np.full(len(distance), 3)}  # fmt: skip
    return one, arrays if rows is None else arrays | {"rows": np.array(rows)}


def shown(*attacks, labels=Y):
    arrays = {one.check: kept for one, kept in attacks}
    arrays["clean.accuracy"] = {"labels": labels}
    subjects = Subjects(arrays=arrays, x=X, y=Y, class_names=NAMES)
    return examples([one for one, _ in attacks], subjects)


def test_the_nearest_of_each_class_come_first():
    found = shown(attacked("pgd", [0.1, 0.2, 0.3, 0.4, 0.6, 0.5, 0.7, np.inf]))
    assert [each.row for each in found] == [0, 5, 6, 1, 4, 2]
    assert len(found) == MOST
    first = found[0]
    assert (first.before, first.truth, first.after) == ("cat", "cat", "fox")
    assert (first.attack, first.norm, first.distance) == ("PGD", "L2", "0.1")


def test_a_row_is_shown_once_by_the_attack_that_came_nearest():
    found = shown(attacked("pgd", [0.3] * ROWS), attacked("square", [0.2, 0.4, *[np.inf] * 6]))
    by_row = {each.row: each.attack for each in found}
    assert len(by_row) == len(found)
    assert by_row[0] == "Square"
    assert by_row[4] == "PGD"


def test_rows_that_were_wrong_from_the_start_are_no_examples():
    assert not shown(attacked("pgd", [0, np.inf, np.nan]))


def test_arrays_may_be_of_some_rows():
    (one,) = shown(attacked("pgd", [0.5], rows=[6]))
    assert (one.row, one.truth) == (6, "eel")


def test_rows_that_are_no_pictures_show_their_largest_changes():
    (one,) = shown(attacked("pgd", [0.5]))
    assert one.original == ""
    assert one.table.lines == (("x[0]", "0", "100", "+100"),)
    assert one.table.note == "1 of 3 values were changed."


@pytest.mark.parametrize(("label", "name"), [(-1, "no answer"), (1, "dog"), (9, "class 9")])
def test_what_was_said_has_a_name(label, name):
    (one,) = shown(attacked("pgd", [0.5]), labels=np.full(ROWS, label))
    assert one.before == name


def test_scores_are_areas_under_the_curves():
    kept = {"rows": np.array([2]), "values": X[:1] - 1, "deletion": np.array([[1.0, 0.5, 0.0]]),
            "insertion": np.array([[0.0, 1.0, 1.0]])}  # fmt: skip
    one = documents.explained("occlusion", 0.2)
    subjects = Subjects(arrays={one.check: kept}, x=X, y=Y, class_names=NAMES)
    ((row,),) = [each.rows for each in gallery([one], subjects)]
    assert (row.deletion, row.insertion, row.truth) == ("0.5", "0.75", "cat")
    assert row.largest == "x[0] -1, x[2] +1, x[1] +0"
    assert [each.slug for each in charts([one], subjects)] == ["explain-deletion",
                                                               "explain-insertion"]  # fmt: skip
    assert scores([one]).lines[0][:4] == ("Occlusion", "4", "0.2 (0.15 to 0.25)", "0.3")
    assert scores([]) is None
