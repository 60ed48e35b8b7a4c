"""`pellucid list`: the table of systems."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pellucid.systems import Kind, Row, rows


def list_systems(
    kind: Annotated[Kind | None, typer.Option(help="Show this kind only.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
) -> None:
    """List the systems that are installed."""
    chosen = [row for row in rows(plugins=True) if kind in (None, row.kind)]
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in chosen], indent=2))
    else:
        Console().print(_table(chosen))


def _table(chosen: list[Row]) -> Table:
    table = Table("slug", "title", "kind", "sort", "modality", "claim", box=None, pad_edge=False)
    for row in chosen:
        claim = "yes" if row.claim else "no"
        table.add_row(row.slug, row.title, row.kind, row.sort, row.modality, claim)
    return table
