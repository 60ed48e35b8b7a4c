"""`pellucid show SLUG`: what a system does, needs and costs, and how its claim stands."""

from typing import Annotated

import typer

from pellucid.cli import _source
from pellucid.cli._standing import standing
from pellucid.systems import find


def show(
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="A slug of `pellucid list`.")],
) -> None:
    """Show what a system does, needs and costs."""
    row = find(slug)
    method = _source.read(row)
    typer.echo(f"{row.title} ({row.slug}): {row.kind}, {row.sort}, for {row.modality}\n")
    typer.echo(f"{method.docstring}\n")
    typer.echo("Fields")
    for field in method.fields:
        default = "" if field.default is None else f" = {field.default}"
        typer.echo(f"  {field.name}: {field.type}{default}")
        typer.echo(f"      {field.comment}")
    typer.echo(f"\nClass   {row.package}.{row.where.replace(':', '.')}")
    typer.echo(f"Paper   {row.source} (`pellucid cite {row.slug}` prints it)")
    typer.echo(f"Claim   {standing(row)}")
