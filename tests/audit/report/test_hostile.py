"""What users write stays text: names, paths and notes never run, and give no secret away."""

import json
from dataclasses import replace

import pytest
from tests.audit.report import documents
from tests.audit.report.parsed import Page

from pellucid.audit.finding import NotTested
from pellucid.audit.report.chart import plain, safe_json
from pellucid.audit.report.words import discreet

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "' onmouseover='alert(1)",
    "</style></title></textarea><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "\u2028<!--\u2029",
    "../../etc/passwd",
    "&lt;b&gt;%{x}<br>",
)


def hostile(text):
    """An audit in which every text that a user can choose is this one."""
    found = []
    for one in documents.findings():
        figures = {
            name: [line | {k: text for k in ("class", "slice", "corruption") if k in line}
                   for line in value] if isinstance(value, list) else value
            for name, value in one.figures.items()
        }  # fmt: skip
        found.append(replace(one, text=text, figures=figures | {text: text},
                             artefacts={text: text}))  # fmt: skip
    found.append(documents.finding(f"property.{text}", "low", text=text))
    model = replace(documents.MODEL, reference=text, notes=(text,), fingerprint=text,
                    understood={text: {text: text}})  # fmt: skip
    return documents.made(
        found, class_names=(text,) * 10, model=model,
        data=replace(documents.DATA, name=text, guessed=(text,)),
        not_tested=[NotTested(check=f"falsify.{text}", reason=text)],
        versions={"pellucid": text}, machine={"cpu": text}, accepted={"falsify.pgd.linf": text},
        lapsed=(text,), stopped=text, finished=False, started=text,
    )  # fmt: skip


def skeleton(page):
    """The elements and the names of their attributes."""
    return [(each.tag, tuple(each.attributes)) for each in page.elements]


@pytest.fixture(scope="module")
def harmless():
    return skeleton(Page(hostile("harmless").page()))


@pytest.fixture(scope="module", params=HOSTILE)
def chosen(request):
    """A text, and the page that is full of it."""
    return request.param, Page(hostile(request.param).page())


def test_a_text_adds_no_element_and_no_attribute(chosen, harmless):
    text, page = chosen
    assert skeleton(page) == harmless
    assert text.strip() in page.of("h1")[0].text
    links = [each.attributes["href"] for each in page.of("a")]
    assert all(link.startswith(("#", "https://")) for link in links)


def test_a_text_in_a_figure_is_plain(chosen):
    text, page = chosen
    names = {y for plot in page.plots() for t in plot["traces"] if t.get("orientation") == "h"
             for y in t["y"] if isinstance(y, str)}  # fmt: skip
    assert plain(text) in names
    scripts = [e for e in page.of("script") if e.attributes.get("type") == "application/json"]
    assert all(set("<>&\u2028\u2029").isdisjoint(each.text) for each in scripts)


@pytest.mark.parametrize("text", HOSTILE)
def test_json_keeps_the_text(text):
    told = safe_json({"name": text})
    assert json.loads(told) == {"name": text}
    assert set("<>&\u2028\u2029").isdisjoint(told)


def test_an_infinite_number_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        safe_json(float("inf"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://ann:secret@host:80/v2/models/a", "http://host:80/v2/models/a"),
        ("at https://token@host/a, twice", "at https://host/a, twice"),
        ("https://host/a?key=secret&b=1 failed", "https://host/a failed"),
        ("https://host/a#secret", "https://host/a"),
        ("builtin:digits-cnn", "builtin:digits-cnn"),
        ("ann@host", "ann@host"),
    ],
)
def test_credentials_in_urls_are_left_out(text, shown):
    assert discreet(text) == shown


def test_no_credentials_reach_the_page():
    assert "secret" not in hostile("http://ann:secret@host/v2?key=secret").page()
