"""The sentence at the top, and the numbers below it."""

import pytest
from tests.audit.report import documents

from pellucid.audit.finding import Cost, NotTested
from pellucid.audit.report.tiles import tiles
from pellucid.audit.report.verdict import counts, fallen, verdict


def curve(check, points, severity="high", system=None, **figures):
    table = [{"epsilon": e, "accuracy": a, "low": low, "high": a} for e, a, low in points]
    told = {"norm": check.rpartition(".")[2], "by_epsilon": table} | figures
    return documents.finding(check, severity, told, system=system)


PGD = curve("falsify.pgd.linf", [(0.1, 0.6, 0.5), (0.3, 0.2, 0.1)], system="pgd", most_queries=40)
SQUARE = curve(
    "falsify.square.linf", [(0.1, 0.7, 0.6), (0.3, 0.1, 0.05)], system="square", most_queries=1
)
WORST = curve("falsify.worst.linf", [(0.1, 0.55, 0.45), (0.3, 0.05, 0.01)])


def headline(*found, **changed):
    return verdict(documents.audit(list(found), **changed)).headline


def test_an_attack_is_told_at_the_least_radius_below_the_limit():
    assert headline(PGD) == (
        "Moved by at most 0.3 (Linf), only 20.0% of the rows are still answered right (10.0 to "
        "20.0%): PGD does that with at most 40 questions a row."
    )
    assert headline(PGD, SQUARE).endswith(": Square does that with at most 1 question a row.")


def test_of_all_attacks_together_the_strongest_says_what_it_cost():
    assert headline(PGD, SQUARE, WORST) == (
        "Moved by at most 0.1 (Linf), only 55.0% of the rows are still answered right (45.0 to "
        "55.0%); PGD alone leaves 60.0% with at most 40 questions a row."
    )
    assert headline(WORST).endswith("(45.0 to 55.0%).")


def test_the_worst_finding_speaks_whatever_its_stage():
    bad = documents.finding("clean.classes", "critical", text="Half of the rows are wrong.")
    assert headline(PGD, bad) == "Half of the rows are wrong."
    assert headline(documents.finding("clean.slices")) == (
        "Nothing beyond the limits was found in 1 check."
    )
    assert headline() == "Nothing was tested."


def test_where_nothing_falls_below_the_limit_the_largest_radius_is_told():
    high = curve("falsify.pgd.linf", [(0.1, 0.9, 0.8), (0.3, 0.8, 0.7)], system="pgd")
    assert fallen([high], 0.5).epsilon == 0.3
    assert fallen([high, PGD], 0.5).epsilon == 0.3
    assert fallen([high, PGD], 0.5).accuracy == 0.2
    assert fallen([], 0.5) is None


@pytest.mark.parametrize(("count", "rest"), [(3, "."), (4, "; and 1 more check, below."),
                                             (9, "; and 6 more checks, below.")])  # fmt: skip
def test_what_was_not_tested_is_named_with_its_reason(count, rest):
    skipped = [NotTested(check=f"falsify.a{i}.l2", reason="want of time.") for i in range(count)]
    said = verdict(documents.audit(not_tested=skipped)).untested
    assert said == (
        f"Not tested: a0, L2, for want of time; a1, L2, for want of time; a2, L2, for want of time"
        f"{rest}"
    )
    assert verdict(documents.audit(not_tested=[])).untested == "Every check of the plan was run."


def test_an_unfinished_audit_says_why():
    said = verdict(documents.audit(finished=False, stopped="the disk is full.")).caveat
    assert said.startswith("The audit ended before its plan did: the disk is full. Measured on")


def test_findings_are_counted_from_the_worst():
    found = [PGD, SQUARE, documents.finding("clean.slices")]
    assert counts(found) == [("critical", 0), ("high", 2), ("medium", 0), ("low", 0), ("none", 1)]


def test_the_tiles_hold_what_was_measured_and_spent():
    accuracy = documents.finding(
        "clean.accuracy", figures={"rows": 200, "accuracy": 0.97, "low": 0.93, "high": 0.99},
        cost=Cost(queries=1200, gradients=1, calls=2),
    )  # fmt: skip
    made = {t.name: t for t in tiles(documents.audit([accuracy, PGD, WORST], seconds=90.0 * 60))}
    assert made["Clean accuracy"].value == "97.0%"
    assert made["Clean accuracy"].note == "93.0 to 99.0% on 200 rows"
    assert made["Within Linf 0.1"].value == "55.0%"
    assert made["Questions asked"].value == "1,212"
    assert made["Questions asked"].note == "1 gradient, 3 calls"
    assert (made["Time"].value, made["Time"].note) == ("90.0 min", "started 2026-11-21 19:45")


def test_no_accuracy_has_a_reason():
    bare = documents.audit([PGD]).with_findings([PGD], [], "there are no labels")
    (tile,) = [each for each in tiles(bare) if each.name == "Clean accuracy"]
    assert (tile.value, tile.note) == ("none", "there are no labels")
