"""`pellucid compare`: its table, its JSON, its gate, and what it refuses."""

import json
import os

import numpy as np
import pytest
from tests.audit.documents import ATTACK, attacked, audit, falls, written
from tests.audit.findings import finding
from typer.testing import CliRunner

from pellucid.cli.main import app


def compare(*arguments):
    return CliRunner(env={"COLUMNS": "80"}).invoke(app, ["compare", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path):
    """Makes an audit's folder, for a model whose rows fall at distances scaled so."""

    def made(scale, keep=True, **facts):
        place = tmp_path / f"{scale}-{keep}-{len(list(tmp_path.iterdir()))}"
        arrays = {"y": np.zeros(200, np.int64), f"{ATTACK}/distance": falls(scale)}
        return written(place, audit([attacked(falls(scale))], **facts), arrays if keep else None)

    return made


def test_a_regress_is_shown_and_trips_the_gate_only_when_asked(folder):
    old, new = folder(1.0, reference="[red]one"), folder(0.5, reference="two")
    result = compare(old, new)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "\u2026" not in result.stdout  # nothing is cut off
    for words in ("Old: [red]one", "New: two", "regressed", "accuracy at 0.1", f": {ATTACK}."):
        assert words in result.stdout
    assert "*" not in result.stdout
    assert compare(old, new, "--fail").exit_code == 1
    assert compare(new, old, "--fail").exit_code == 0
    assert "improved" in compare(new, old).stdout


def test_json_files_alone_are_compared_unpaired(folder):
    old, new = folder(1.0), folder(0.5)
    result = compare(old / "audit.json", new, "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout, parse_constant=pytest.fail)
    assert told["regressed"] == [ATTACK]
    assert not any(change["paired"] for change in told["checks"][0]["changes"])
    assert "%*" in compare(folder(1.0, keep=False), new).stdout


def test_a_gate_that_can_compare_nothing_is_not_passed(folder):
    old, new = folder(1.0), folder(1.0, digest="other")
    assert compare(old, new).exit_code == 0
    result = compare(old, new, "--fail")
    assert result.exit_code == 2
    assert "audit the same rows" in result.stderr


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("none.json", None, "There is nothing at"),
        ("text.json", "{", "is no audit"),
        ("list.json", "[1, 2]", "is no audit"),
        ("other.json", '{"runs": []}', "names no schema"),
        ("poor.json", '{"schema": 1}', "is no audit (at '"),
        ("later.json", '{"schema": 99}', "of schema 99"),
    ],
)
def test_what_is_no_audit_is_a_sentence(tmp_path, folder, name, text, said):
    if text is not None:
        (tmp_path / name).write_text(text)
    for arguments in ((tmp_path / name, folder(1.0)), (folder(1.0), tmp_path / name)):
        result = compare(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert said in result.stderr
        assert result.stderr.count("\n") == 1


def test_a_folder_without_an_audit_and_broken_arrays_are_sentences(tmp_path, folder):
    (tmp_path / "empty").mkdir()
    result = compare(tmp_path / "empty", folder(1.0))
    assert result.exit_code == 2
    assert "holds no audit.json" in result.stderr
    broken = folder(1.0)
    (broken / "adversarial.npz").write_bytes(os.urandom(50))
    result = compare(broken, folder(1.0))
    assert result.exit_code == 2
    assert "adversarial.npz cannot be read" in result.stderr


def test_findings_that_name_markup_are_shown_as_they_are(tmp_path):
    one = written(tmp_path / "a", audit([finding("falsify.[bold]x.linf", "low")]))
    assert "falsify.[bold]x.linf" in compare(one, one).stdout
