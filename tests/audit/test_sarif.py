"""SARIF: what dashboards read of it. The official schema is asked in tests/services."""

import json
from pathlib import Path

import pytest
from tests.audit.findings import EVASION, finding, findings

from pellucid.audit.finding import NotTested
from pellucid.audit.sarif import sarif

BASE = Path("/home/ann/project")


def told(some=None, **facts):
    given = {"reference": "nets/signs.onnx", "base": BASE, "finished": True} | facts
    log = json.loads(sarif(findings() if some is None else some, **given))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    return run


def test_each_check_is_a_rule_and_only_what_is_wrong_a_result():
    run = told()
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [one.check for one in findings()]
    assert [result["ruleId"] for result in run["results"]] == [
        one.check for one in findings() if one.severity != "none"
    ]
    for result in run["results"]:
        rule = rules[result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        assert rule["defaultConfiguration"]["level"] == result["level"]
        assert rule["properties"]["security-severity"] == result["properties"]["security-severity"]
        assert result["message"]["text"]
    assert all(rule["help"]["text"] and rule["shortDescription"]["text"] for rule in rules)


def test_severities_are_levels_and_the_scores_that_dashboards_sort_by():
    levels = [(r["level"], float(r["properties"]["security-severity"])) for r in told()["results"]]
    assert [level for level, _ in levels] == ["error", "error", "warning", "note"]
    critical, high, medium, low = (score for _, score in levels)
    assert critical > 9 > high >= 7 > medium >= 4 > low > 0
    clean = told()["tool"]["driver"]["rules"][0]
    assert clean["defaultConfiguration"]["level"] == "none"
    assert "security-severity" not in clean["properties"]


def test_the_longest_fitting_beginning_says_what_a_check_asks():
    some = [
        finding("falsify.worst.linf"),
        finding("falsify.worster"),
        finding("clean.calibration"),
        finding("clean.novel"),
        finding("mine.own"),
    ]
    said = [rule["shortDescription"]["text"] for rule in told(some)["tool"]["driver"]["rules"]]
    assert "all attacks" in said[0]
    assert "all attacks" not in said[1]
    assert "confidence" in said[2]
    assert said[3].startswith("How the model does")
    assert said[4].startswith("What a check")


def test_threats_are_tags_and_entries_of_their_catalogues():
    run = told()
    rule = run["tool"]["driver"]["rules"][1]
    assert {"security", *EVASION["atlas"], *EVASION["owasp"]} <= set(rule["properties"]["tags"])
    named = {one["name"]: {t["id"] for t in one["taxa"]} for one in run["taxonomies"]}
    assert list(named.values()) == [set(EVASION["atlas"]), set(EVASION["owasp"])]
    for result in run["results"]:
        for taxon in result["taxa"]:
            assert taxon["id"] in named[taxon["toolComponent"]["name"]]
    for support in run["tool"]["driver"]["supportedTaxonomies"]:
        assert run["taxonomies"][support["index"]]["name"] == support["name"]
    assert told([finding("explain.lime", "low")])["taxonomies"] == []


def test_every_result_has_a_place_that_github_takes():
    for reference in ("nets/signs.onnx", "/secret/signs.onnx", "http://ann:word@host/v2/models/m"):
        text = sarif(findings(), reference=reference, base=BASE, finished=True)
        assert "secret" not in text
        assert "word@" not in text
        for result in json.loads(text)["runs"][0]["results"]:
            (place,) = result["locations"]
            uri = place["physicalLocation"]["artifactLocation"]["uri"]
            assert uri
            assert not uri.startswith("/")
            assert ":" not in uri.split("/")[0]
            assert place["physicalLocation"]["region"]["startLine"] == 1


def test_fingerprints_stay_between_runs_and_differ_between_checks_and_models():
    def marks(some, **facts):
        return [
            r["partialFingerprints"]["primaryLocationLineHash"]
            for r in told(some, **facts)["results"]
        ]

    worse = [finding("clean.calibration", "high", text="Otherwise.")]
    first = marks(findings())
    assert first == marks(findings()[::-1])[::-1]
    assert len(set(first)) == len(first)
    assert marks(worse)[0] in first
    assert not set(first) & set(marks(findings(), reference="other.onnx"))


def test_accepted_findings_are_suppressed_with_the_reason():
    run = told(accepted={"clean.calibration": "Ann accepts it until 2030-01-01."})
    suppressed = {r["ruleId"]: r["suppressions"] for r in run["results"]}
    (one,) = suppressed.pop("clean.calibration")
    assert one["kind"] == "external"
    assert one["justification"] == "Ann accepts it until 2030-01-01."
    assert all(others == [] for others in suppressed.values())


@pytest.mark.parametrize("finished", [True, False])
def test_what_was_not_tested_and_whether_it_ended_is_told(finished):
    skipped = [NotTested(check="prove.crown.linf", reason="it needs access 'white'")]
    (call,) = told(finished=finished, not_tested=skipped)["invocations"]
    assert call["executionSuccessful"] is finished
    (note,) = call["toolExecutionNotifications"]
    assert note["message"]["text"] == ("Not tested: prove.crown.linf, for it needs access 'white'.")


def test_an_audit_that_found_nothing_makes_a_file_without_results():
    assert told([])["results"] == []
