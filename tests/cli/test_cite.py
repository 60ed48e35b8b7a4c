"""`pellucid cite`."""

import pytest
from typer.testing import CliRunner

from pellucid.cli.main import app
from pellucid.systems import SYSTEMS


@pytest.mark.parametrize("row", SYSTEMS, ids=lambda row: row.slug)
def test_the_entry_is_printed_as_it_stands(row):
    result = CliRunner().invoke(app, ["cite", row.slug])
    assert (result.exit_code, result.stdout) == (0, f"{row.bibtex()}\n")


def test_an_unknown_slug_is_a_sentence():
    result = CliRunner().invoke(app, ["cite", "pdg"])
    said = "pellucid: There is no system called 'pdg': did you mean pgd?\n"
    assert (result.exit_code, result.stderr) == (2, said)
