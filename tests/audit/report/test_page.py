"""The page as a whole: its structure, and that it loads nothing."""

import base64
import hashlib
import re
from itertools import pairwise

import numpy as np
import pytest
from tests.audit.report import documents
from tests.audit.report.parsed import Page

from pellucid.audit.finding import Cost

LOADING = {"link", "iframe", "object", "embed", "audio", "video", "source", "base", "track"}
LIMIT = 10e6  # bytes


@pytest.fixture(scope="module")
def source():
    return documents.made().page()


@pytest.fixture(scope="module")
def page(source):
    return Page(source)


def test_headings_stand_in_order_below_one_title(page):
    levels = [int(each.tag[1]) for each in page.of("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.of("html")[0].attributes["lang"] == "en"
    assert page.of("title")[0].text == "Audit of builtin:digits-cnn: high"


def test_names_are_unique_and_links_lead_somewhere(page):
    names = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(names) == len(set(names))
    within = [e.attributes["href"] for e in page.of("a") if e.attributes["href"].startswith("#")]
    assert {each.removeprefix("#") for each in within} <= set(names)
    told = [e.attributes["aria-labelledby"] for e in page.of("section")]
    assert set(told) <= set(names)


def test_everything_has_a_text_for_those_who_do_not_see_it(page):
    assert all(each.attributes["alt"] for each in page.of("img"))
    assert len(page.of("caption")) == len(page.of("table"))
    assert all(each.attributes.get("scope") for each in page.of("th"))
    assert all(e.attributes["role"] == "img" and e.attributes["aria-label"]
               for e in page.classed("plot"))  # fmt: skip
    labelled = [e for e in page.of("input", "select") if "label" in e.inside]
    assert len(labelled) == len(page.of("input", "select"))
    wide = page.classed("wide")
    assert all("tabindex" in e.attributes and e.attributes["aria-label"] for e in wide)


def test_every_figure_has_its_numbers_as_a_table(page):
    charts = page.classed("chart")
    assert len(charts) == len(page.plots()) == 12
    tables = [each for each in page.of("table") if "figure" in each.inside]
    assert len(tables) == len(charts)
    assert all(each["traces"] for each in page.plots())


def test_all_that_was_found_is_told(page, source):
    made = documents.made()
    rows = [e for e in page.of("tr") if "data-severity" in e.attributes]
    assert len(rows) == len(made.document["findings"])
    for one in made.document["findings"]:
        assert one["check"] in source
    text = page.of("main")[0].text
    for said in ("97.0%", "9c1e77", "3b0c1f5a9e", "torch", "KernelSHAP", "the time was up"):
        assert said in text
    assert "ATLAS AML.T0043.001" in text
    assert "https://atlas.mitre.org/techniques/AML.T0043.001" in source


def test_nothing_is_loaded(page, source):
    assert not [each for each in page.elements if each.tag in LOADING]
    assert not [each for each in page.of("script") if "src" in each.attributes]
    assert all(e.attributes["src"].startswith("data:image/png;base64,") for e in page.of("img"))
    style = "".join(each.text for each in page.of("style"))
    assert "url(" not in style
    assert "@import" not in style
    named = set(re.findall(r"https?://[^\s\"'<]+", source))
    linked = {e.attributes["href"] for e in page.of("a")}
    assert named <= linked


def test_the_policy_allows_the_pages_own_scripts_alone(page):
    (policy,) = [e.attributes["content"] for e in page.of("meta")
                 if e.attributes.get("http-equiv") == "Content-Security-Policy"]  # fmt: skip
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts["default-src"] == "'none'"
    assert "unsafe" not in parts["script-src"]
    run = [each.text for each in page.of("script") if "type" not in each.attributes]
    digests = [base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() for t in run]
    assert len(run) == 1
    assert f"'sha256-{digests[0]}'" in parts["script-src"]


def test_equal_audits_make_equal_pages(source):
    assert documents.made().page() == source
    assert documents.made(seed=1).page() != source


@pytest.mark.slow
def test_a_thousand_findings_stay_small():
    source = documents.many(1000).page()
    assert len(source.encode()) < LIMIT
    page = Page(source)
    assert len([e for e in page.of("tr") if "data-severity" in e.attributes]) == 1000
    assert len([e for e in page.of("details") if "open" in e.attributes]) == 1
    assert "not drawn are" in page.of("main")[0].text
    assert all(len(each["traces"]) <= 16 for each in page.plots())


@pytest.mark.parametrize("shape", [(3, 12, 9), (1, 40, 40), (7,), (1, 1, 5), (2, 6, 6)])
def test_rows_of_any_shape_can_be_shown(shape):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 2, (60, *shape)).astype(np.float32)
    page = Page(documents.made(x=x, y=rng.integers(0, 10, 60)).page())
    pictured = shape[0] in (1, 3) and len(shape) == 3 and min(shape[1:]) > 1
    assert bool(page.of("img")) == pictured
    assert ("The largest changes" in page.of("main")[0].text) != pictured


def test_what_was_not_measured_is_not_shown():
    page = Page(documents.made(found=[], not_tested=[], finished=False, opening=Cost()).page())
    text = page.of("main")[0].text
    assert "Nothing was tested." in text
    assert "The audit ended before its plan did." in text
    assert not page.classed("chart")
    assert not page.of("img")


def test_an_audit_without_rows_or_labels_is_shown():
    one = documents.finding("property.turns", "high", {"holds": False}, text="It is violated.")
    made = documents.made(found=[one], x=np.zeros((0, 5), np.float32), y=np.zeros(0, np.int64))
    text = Page(made.page()).of("main")[0].text
    assert "It is violated." in text
    assert "it was not measured" in text


def test_an_accepted_finding_says_who_bears_it():
    made = documents.made(accepted={"falsify.pgd.linf": "Accepted by Ann: no attacker is near."})
    text = Page(made.page()).of("main")[0].text
    assert "Accepted by Ann: no attacker is near." in text
    assert "1 finding is accepted by an owner." in text
