"""`pellucid compare OLD NEW`: what regressed from one audit to the next."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pellucid.cli import _model
from pellucid.errors import UserError

FAILED = 1


class NothingCompared(UserError):
    """A gate that could compare nothing has not been passed."""


def compare(
    old: Annotated[Path, typer.Argument(help="An audit's folder, or its audit.json.")],
    new: Annotated[Path, typer.Argument(help="The same of a later audit.")],
    fail: Annotated[bool, typer.Option("--fail", help="Exit with 1 if a check regressed.")] = False,
    as_json: _model.Json = False,
) -> None:
    """Say what regressed, what improved and what cannot be compared between two audits.

    The rows are compared one by one where both are folders; audit.json alone gives wider intervals.
    """
    from pellucid.audit.compare import compare as compared
    from pellucid.audit.comparison_table import table
    from pellucid.audit.earlier import side

    found = compared(side(old), side(new))
    if as_json:
        typer.echo(json.dumps(found.to_json(), indent=2, allow_nan=False))
    else:
        Console().print(table(found))
    if fail and not found.comparable:
        raise NothingCompared("No check could be compared: audit the same rows by the same plan.")
    if fail and found.regressed:
        raise typer.Exit(FAILED)
