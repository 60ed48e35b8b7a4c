"""`pellucid list`: the table of systems."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pellucid.cli._standing import in_short
from pellucid.errors import UserError
from pellucid.systems import Kind, Row, rows


def list_systems(
    kind: Annotated[Kind | None, typer.Option(help="Show this kind only.")] = None,
    room: Annotated[
        str | None, typer.Option(help="Show this room only, such as attack or explain/cam.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
) -> None:
    """List the systems that are installed, and how the claim of each stands."""
    chosen = [row for row in rows(plugins=True) if kind in (None, row.kind)]
    if room is not None:
        known = sorted({part for row in chosen for part in _rooms(row)})
        chosen = [row for row in chosen if room in _rooms(row)]
        if not chosen:
            raise UserError(f"There is nothing in a room '{room}': known are {', '.join(known)}.")
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in chosen], indent=2))
    else:
        Console().print(_table(chosen))


def _rooms(row: Row) -> list[str]:
    """The folders that a method is in, from the outermost on: attack, attack/evade."""
    *folders, _file = row.where.partition(":")[0].split(".")
    return ["/".join(folders[: end + 1]) for end in range(len(folders))]


def _table(chosen: list[Row]) -> Table:
    """One line a row: where the terminal is narrow, titles and modalities are cut, slugs never."""
    table = Table(box=None, pad_edge=False)
    for name in ("slug", "title", "kind", "sort", "modality", "claim"):
        table.add_column(name, no_wrap=name not in ("title", "modality"))
    for row in chosen:
        words = (row.slug, _cut(row.title), row.kind, row.sort, _cut(row.modality))
        table.add_row(*words, in_short(row))
    return table


def _cut(words: str) -> Text:
    return Text(words, no_wrap=True, overflow="ellipsis")
