"""`pellucid list`: the table of systems."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

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
    """One line a row: where the terminal is narrow, titles and modalities are cut, slugs never."""
    table = Table(box=None, pad_edge=False)
    for name in ("slug", "title", "kind", "sort", "modality", "claim"):
        table.add_column(name, no_wrap=name not in ("title", "modality"))
    for row in chosen:
        claim = "yes" if row.claim else "no"
        table.add_row(row.slug, _cut(row.title), row.kind, row.sort, _cut(row.modality), claim)
    return table


def _cut(words: str) -> Text:
    return Text(words, no_wrap=True, overflow="ellipsis")
