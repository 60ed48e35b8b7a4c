"""Figures hold the numbers of the findings."""

from tests.audit.report import documents

from pellucid.audit.finding import Cost
from pellucid.audit.report import accuracies, costs, proofs, robustness
from pellucid.audit.report.chart import categories, line
from pellucid.audit.report.entries import entries
from pellucid.audit.report.words import title


def test_checks_have_titles():
    assert title("clean.classes") == "Accuracy by class"
    assert title("falsify.apgd-ce.linf") == "APGD-CE, Linf"
    assert title("falsify.worst.l2") == "All attacks together, L2"
    assert title("explain.occlusion") == "Occlusion"
    assert title("property.stays left") == "stays left"
    assert title("forensics") == "forensics"


def by_slug(charts):
    return {each.slug: each for each in charts}


def test_a_band_of_steps_follows_its_two_ends():
    band, drawn = line(0, "a", [0, 1, 2], [3, 2, 1], [2, 1, 0], [4, 3, 2], steps=True)
    assert drawn["line"]["shape"] == "hv"
    assert list(zip(band["x"], band["y"], strict=True)) == [
        (0, 4), (1, 4), (1, 3), (2, 3), (2, 2), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2),
    ]  # fmt: skip


def test_all_attacks_of_a_norm_share_a_figure():
    made = by_slug(robustness.charts(documents.findings()))
    assert list(made) == ["accuracy-by-epsilon-linf", "accuracy-by-queries-linf",
                          "accuracy-by-epsilon-l2", "accuracy-by-queries-l2"]  # fmt: skip
    linf = made["accuracy-by-epsilon-linf"]
    named = [each["name"] for each in linf.traces if "name" in each]
    assert named == ["All together", "PGD", "Square"]
    assert linf.traces[0]["mode"] == "markers"  # only the radii are known of the union
    assert linf.table.head == ("attack", "0.01", "0.03", "0.1", "0.3")
    assert [each[0] for each in linf.table.lines] == named


def test_questions_are_told_at_the_least_radius_where_half_has_fallen():
    table = [
        {"epsilon": e, "queries": q, "accuracy": a, "low": a, "high": a}
        for e, q, a in ((0.1, 0, 0.9), (0.1, 5, 0.6), (0.2, 0, 0.9), (0.2, 2, 0.7), (0.2, 25, 0.4),
                        (0.3, 3, 0.1))
    ]  # fmt: skip
    points = [{"epsilon": 0.2, "accuracy": 0.4, "low": 0.3, "high": 0.5}]
    one = documents.finding("falsify.pgd.l2", system="pgd", figures={
        "norm": "l2", "by_epsilon": points, "by_queries": table})  # fmt: skip
    chart = by_slug(robustness.charts([one]))["accuracy-by-queries-l2"]
    assert chart.title.endswith("L2 0.2")
    assert chart.table.head == ("attack", "1", "10", "25")
    assert chart.table.lines == (("PGD", "", "70.0%", "40.0%"),)


def test_only_the_strongest_attacks_are_drawn():
    found = [documents.attack(f"m{i}", "l2", 1 + i, "low") for i in range(11)]
    chart = robustness.charts(found)[0]
    assert [each[0] for each in chart.table.lines] == [f"m{i}" for i in range(10, 2, -1)]
    assert robustness.left_out(found) == (
        "The figures show the 8 strongest; not drawn are L2: 3 attacks."
    )
    assert robustness.left_out(found[:8]) == ""


def test_many_classes_leave_the_worst():
    table = [{"class": str(i), "rows": 9} | documents.share(i, 99) for i in range(99)]
    one = documents.finding("clean.classes", figures={"classes": table})
    (chart,) = accuracies.charts([one])
    assert chart.traces[0]["y"] == [str(i) for i in range(30)]
    assert chart.table.note == "The 30 worst of 99; all stand in audit.json."


def test_whiskers_reach_to_the_ends_of_the_interval():
    table = [{"class": "a", "rows": 4, "accuracy": 0.5, "low": 0.2, "high": 0.6}]
    (chart,) = accuracies.charts([documents.finding("clean.classes", figures={"classes": table})])
    whiskers = chart.traces[0]["error_x"]
    assert abs(whiskers["array"][0] - 0.1) < 1e-12
    assert abs(whiskers["arrayminus"][0] - 0.3) < 1e-12


def test_corruptions_of_one_strength_are_bars():
    table = [{"corruption": "blur", "strength": 3, "rows": 200} | documents.share(100)]
    one = documents.finding("clean.corruptions", figures={"corruptions": table})
    (chart,) = accuracies.charts([one])
    assert chart.title.endswith("of strength 3")
    assert [each["type"] for each in chart.traces] == ["bar"]
    assert chart.table.lines[0][:3] == ("blur", "200", "50.0%")


def test_long_names_are_broken_and_stay_plain():
    axis = categories(["<b>" + "word " * 9, "9"])
    assert axis["ticktext"][0].startswith("&lt;b&gt;word word word word<br>word")
    assert axis["ticktext"][1] == "9"


def test_a_proof_tells_three_parts_of_all_rows():
    (chart,) = proofs.charts([documents.proof()])
    assert [sum(each["x"][i] for each in chart.traces) for i in range(3)] == [32] * 3
    assert chart.table.lines[0] == ("Linf 0.01", "28", "3", "1")


def test_costs_add_up_also_when_there_are_many():
    found = [documents.finding(f"clean.a{i}", cost=Cost(queries=i, calls=1)) for i in range(1, 41)]
    chart = costs.chart(documents.audit(found))
    assert sum(chart.traces[0]["x"]) == 40 * 41 // 2 + 12
    assert chart.table.lines[-1][0] == "26 other checks"
    assert costs.chart(documents.audit([], opening=Cost())) is None


def test_findings_stand_in_order_of_severity():
    found = documents.findings()
    listed = entries(documents.audit(found))
    assert [each.rank for each in listed] == sorted((e.rank for e in listed), reverse=True)
    assert sorted(each.number for each in listed) == list(range(1, len(found) + 1))
    first = listed[0]
    assert (first.check, first.open) == ("falsify.pgd.linf", True)
    assert [each.id for each in first.threats][-1] == "OWASP ML01:2023"
    curve = next(each for each in first.tables if each.caption == "Curve")
    assert len(curve.lines) == 8
    assert curve.note == "8 of 60 lines; all stand in audit.json."
    assert (curve.lines[0][0], curve.lines[-1][0]) == ("0", "0.3")
