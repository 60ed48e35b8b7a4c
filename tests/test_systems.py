"""The table of systems: its rows, its errors, and the rows that other packages add."""

import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest

from pellucid.systems import SYSTEMS, BadTable, Row, UnknownSlug, find, rows

ROW = {
    "slug": "toy",
    "kind": "attack",
    "where": "methods:Toy",
    "source": "toy2020",
    "title": "Toy",
    "modality": "vectors",
    "package": "toybox",
}


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a distribution that holds one module and names it as an entry point."""
    modules = []

    def install(distribution, text):
        folder = tmp_path / distribution
        facts = folder / f"{distribution}-1.0.dist-info"
        facts.mkdir(parents=True)
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\n")
        (facts / "entry_points.txt").write_text(
            f"[pellucid.systems]\nrows = {distribution}_rows:ROWS\n"
        )
        (folder / f"{distribution}_rows.py").write_text(
            f"from pellucid.systems import Row\nROW = Row(**{ROW})\n{text}\n"
        )
        monkeypatch.syspath_prepend(folder)
        modules.append(f"{distribution}_rows")

    yield install
    for module in modules:
        sys.modules.pop(module, None)


def test_the_slugs_are_unique_and_the_rows_frozen():
    assert len({row.slug for row in SYSTEMS}) == len(SYSTEMS)
    with pytest.raises(FrozenInstanceError):
        SYSTEMS[0].slug = "other"


@pytest.mark.parametrize("row", SYSTEMS, ids=lambda row: row.slug)
def test_a_row_names_a_class_and_a_paper(row):
    assert row.load().__name__ == row.where.split(":")[1]
    assert row.bibtex().count("@") == 1
    assert row.source in row.bibtex().splitlines()[0]


def test_reading_the_table_imports_no_torch_and_no_method():
    program = (
        "import sys, pellucid.systems as s; s.rows(plugins=True); "
        "print([m for m in sys.modules if m.startswith(('torch', 'pellucid.attack'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_a_misspelt_slug_is_answered_with_the_nearest():
    with pytest.raises(UnknownSlug, match=r"'hopskip'.*did you mean hopskipjump"):
        find("hopskip")
    assert issubclass(UnknownSlug, LookupError)


@pytest.mark.parametrize(
    ("field", "value"),
    [("slug", "Two Words"), ("slug", "a--b"), ("where", "module.Class"), ("claim", "claims.toy")],
)
def test_a_row_that_cannot_work_is_refused(field, value):
    with pytest.raises(BadTable, match=value):
        Row(**(ROW | {field: value}))


@pytest.mark.parametrize("held", ["ROW", "[ROW]", "{ROW}"])
def test_an_installed_package_adds_its_rows_after_the_house_s(install, held):
    install("toybox", f"ROWS = {held}")
    assert rows(plugins=True) == (*SYSTEMS, Row(**ROW))
    assert rows() == SYSTEMS
    assert find("toy").package == "toybox"
    with pytest.raises(UnknownSlug):
        find("toy", plugins=False)


def test_two_packages_with_one_slug_are_both_named(install):
    install("toybox", "ROWS = ROW")
    install("rival", "ROWS = ROW")
    with pytest.raises(BadTable, match=r"(?=.*'toy')(?=.*toybox)(?=.*rival)"):
        rows(plugins=True)


def test_a_package_cannot_take_a_slug_of_the_house(install):
    install("toybox", "from dataclasses import replace\nROWS = replace(ROW, slug='pgd')")
    with pytest.raises(BadTable, match="'pgd' is used by both pellucid and toybox"):
        rows(plugins=True)


@pytest.mark.parametrize("text", ["ROWS = 3", "ROWS = [ROW, 'toy']"])
def test_an_entry_point_that_holds_no_rows_is_refused(install, text):
    install("toybox", text)
    with pytest.raises(BadTable, match=r"toybox_rows:ROWS.*Row"):
        rows(plugins=True)


@pytest.mark.parametrize("text", ["import no_such_library", "OTHER = ROW"])
def test_a_package_that_cannot_be_imported_is_named(install, text):
    install("toybox", text)
    with pytest.raises(BadTable, match=r"toybox_rows:ROWS.*uninstall"):
        rows(plugins=True)
