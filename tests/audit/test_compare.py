"""Comparing audits: what regressed, what is chance, and what cannot be told."""

import json

import numpy as np
import pytest
from tests.audit.documents import ATTACK, RADII, attacked, audit, clean, falls
from tests.audit.findings import finding

from pellucid.audit.compare import Side, compare

Y = np.zeros(200, dtype=np.int64)


def side(findings, distance=None, labels=None, **facts):
    arrays = {"y": Y}
    if distance is not None:
        arrays[f"{ATTACK}/distance"] = distance
    if labels is not None:
        arrays["clean.accuracy/labels"] = labels
    return Side(audit=audit(findings, **facts), arrays=arrays)


def under_attack(scale, keep=True, severity="high", **facts):
    distance = falls(scale)
    found = attacked(distance, severity=severity)
    return side([found], distance if keep else None, **facts)


def only(comparison):
    (one,) = comparison.checks
    return one


def test_an_audit_against_itself_is_unchanged():
    same = compare(under_attack(1.0), under_attack(1.0))
    assert only(same).verdict == "unchanged"
    assert same.regressed == ()
    assert same.comparable
    for change in only(same).changes:
        assert change.old == change.new
        assert change.low < 0 < change.high
        assert change.paired
    assert not any("not the same" in note for note in same.notes)


@pytest.mark.parametrize(("scale", "verdict"), [(0.7, "regressed"), (1.4, "improved")])
def test_a_curve_that_falls_or_rises_is_told(scale, verdict):
    found = compare(under_attack(1.0), under_attack(scale))
    assert only(found).verdict == verdict
    assert found.regressed == ((ATTACK,) if verdict == "regressed" else ())
    change = {one.figure: one for one in only(found).changes}["accuracy at 0.1"]
    assert change.new == float((falls(scale) > 0.1).mean())
    assert change.low < change.new - change.old < change.high


def test_rows_that_are_paired_show_what_unpaired_rows_cannot():
    paired = compare(under_attack(1.0), under_attack(0.85))
    loose = compare(under_attack(1.0, keep=False), under_attack(0.85))
    assert only(paired).verdict == "regressed"
    assert only(loose).verdict == "unchanged"
    assert not any(change.paired for change in only(loose).changes)
    assert any("as if the rows were others" in note for note in loose.notes)
    assert not any("as if the rows were others" in note for note in paired.notes)


def test_clean_answers_are_paired_row_by_row():
    before, after = Y.copy(), Y.copy()
    before[:20], after[:32] = 1, 1
    found = compare(side([clean(180)], labels=before), side([clean(168)], labels=after))
    (change,) = only(found).changes
    assert change.paired
    assert only(found).verdict == "regressed"
    assert only(compare(side([clean(180)]), side([clean(168)]))).verdict == "unchanged"


def test_a_severity_that_rises_by_chance_is_no_regress_but_is_said():
    found = compare(under_attack(1.0), under_attack(1.0, severity="critical"))
    assert only(found).verdict == "unchanged"
    assert (only(found).old, only(found).new) == ("high", "critical")
    assert any(f"The severity of {ATTACK} is another" in note for note in found.notes)
    lower = compare(under_attack(1.0), under_attack(0.5, severity="low"))
    assert only(lower).verdict == "regressed"


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [("none", "low", "regressed"), ("low", "none", "improved"), ("low", "low", "unchanged")],
)
def test_without_figures_the_severity_decides(old, new, verdict):
    found = compare(side([finding("explain.lime", old)]), side([finding("explain.lime", new)]))
    assert only(found).verdict == verdict


def test_an_error_that_grows_is_a_regress():
    def calibrated(ece):
        figures = {"ece": ece, "low": ece - 0.01, "high": ece + 0.01}
        return side([finding("clean.calibration", figures=figures)])

    assert only(compare(calibrated(0.05), calibrated(0.1))).verdict == "regressed"
    assert only(compare(calibrated(0.1), calibrated(0.05))).verdict == "improved"
    assert only(compare(calibrated(0.1), calibrated(0.101))).verdict == "unchanged"


def test_checks_of_one_audit_alone_are_named():
    found = compare(
        side([clean(180), finding("explain.lime", "low")]), side([clean(180), attacked(falls(1))])
    )
    told = [(one.check, one.verdict, one.old, one.new) for one in found.checks]
    assert told[1:] == [
        ("explain.lime", "only old", "low", None),
        (ATTACK, "only new", None, "high"),
    ]


def test_other_rows_and_other_radii_are_not_compared():
    rows = compare(under_attack(1.0), under_attack(0.1, severity="critical", digest="other"))
    assert only(rows).verdict == "not comparable"
    assert only(rows).changes == ()
    assert not rows.comparable
    assert any("audit the same rows" in note for note in rows.notes)
    radii = compare(side([attacked(falls(1.0), RADII)]), side([attacked(falls(0.1), (0.2, 0.4))]))
    assert only(radii).verdict == "not comparable"
    assert "same radius" in only(radii).reason
    some = compare(side([attacked(falls(1.0), RADII)]), side([attacked(falls(1.0), (0.1, 0.4))]))
    assert [change.figure for change in only(some).changes] == ["accuracy at 0.1"]


def test_what_else_differs_is_said():
    old = under_attack(1.0)
    new = under_attack(1.0, stopped="the clock")
    new = Side(
        audit=type(new.audit)(**vars(new.audit) | {"seed": 5, "budget": 7, "finished": False}),
        arrays=new.arrays,
    )
    said = " ".join(compare(old, new).notes)
    for words in ("The seed is not", "The budget is not", "The new audit was stopped"):
        assert words in said
    assert "The plan is not" not in said


def test_the_comparison_is_plain_json_that_opens_with_what_regressed():
    told = compare(under_attack(1.0), under_attack(0.5)).to_json()
    assert json.loads(json.dumps(told, allow_nan=False))["regressed"] == [ATTACK]
    assert next(iter(told)) == "regressed"
