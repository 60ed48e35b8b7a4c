"""`pellucid show`, and how it reads a method's file without running it."""

import dataclasses
from dataclasses import MISSING

import pytest
from typer.testing import CliRunner

from pellucid.cli import _source
from pellucid.cli.main import app
from pellucid.systems import SYSTEMS, Row

FILE = '''
"""A method."""

from dataclasses import dataclass

raise RuntimeError("this file must be read, not run")


@dataclass(frozen=True, kw_only=True)
class Toy:
    """Do nothing.

    Source: Nobody, nowhere 2020.
    """

    steps: int  # how often
    size: float = 8 / 255  # of a step,
    norms: tuple[str, ...] = (
        "l2",
        "linf",
    )  # to be tried

    def __call__(self) -> None:
        inner: int = 3  # not a field
'''


@pytest.fixture
def toy(tmp_path, monkeypatch):
    (tmp_path / "toy_package").mkdir()
    (tmp_path / "toy_package" / "method.py").write_text(FILE)
    monkeypatch.syspath_prepend(tmp_path)
    return Row(
        slug="toy",
        kind="attack",
        where="method:Toy",
        source="nobody2020",
        title="Toy",
        modality="vectors",
        package="toy_package",
    )


def test_a_file_is_read_and_not_run(toy):
    method = _source.read(toy)
    assert method.docstring == "Do nothing.\n\nSource: Nobody, nowhere 2020."
    assert [(f.name, f.type, f.default, f.comment) for f in method.fields] == [
        ("steps", "int", None, "how often"),
        ("size", "float", "8 / 255", "of a step,"),
        ("norms", "tuple[str, ...]", "('l2', 'linf')", "to be tried"),
    ]


@pytest.mark.parametrize("where", ["method:Absent", "no.such.module:Toy"])
def test_a_row_that_points_nowhere_is_a_sentence(toy, where):
    with pytest.raises(_source.NoSource, match="'toy' should be"):
        _source.read(dataclasses.replace(toy, where=where))


@pytest.mark.parametrize("row", SYSTEMS, ids=lambda row: row.slug)
def test_what_is_shown_is_what_the_class_is(row):
    result = CliRunner().invoke(app, ["show", row.slug])
    assert result.exit_code == 0
    for label in ("Source:", "Needs:", "Cost:", "Differs:"):
        assert f"\n{label}" in result.stdout
    fields = dataclasses.fields(row.load())
    read = {field.name: field for field in _source.read(row).fields}
    assert list(read) == [field.name for field in fields]
    for field in fields:
        assert read[field.name].comment, f"{field.name} does not say what it means"
        assert (read[field.name].default is None) == (
            field.default is MISSING and field.default_factory is MISSING
        )


def test_a_baseline_without_a_headline_says_so():
    assert "Claim   none to reproduce" in CliRunner().invoke(app, ["show", "hopskipjump"]).stdout
