"""`pellucid data`: the data sets that have a name."""

import json
from dataclasses import asdict

import typer
from rich.console import Console
from rich.table import Table

from pellucid.cli import _model


def data(as_json: _model.Json = False) -> None:
    """List the data sets that have a name: their sizes, whether they are here, where from."""
    from pellucid.data import describe

    known = describe()
    if as_json:
        typer.echo(json.dumps([asdict(about) for about in known]))
        return
    made = Table(box=None, pad_edge=False)
    for name in ("name", "train", "test", "shape", "classes", "here"):
        made.add_column(name, no_wrap=True)
    for about in known:
        made.add_row(
            about.name,
            *(
                f"{about.rows[split]:,}" if split in about.rows else ""
                for split in ("train", "test")
            ),
            "x".join(map(str, about.shape)),
            str(about.classes),
            "yes" if about.here else "no",
        )
    console = Console()
    console.print(made)
    for about in known:
        console.print(f"\n{about.name}: {about.provenance}", markup=False, highlight=False)
