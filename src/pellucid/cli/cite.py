"""`pellucid cite SLUG`: the paper behind a system."""

from typing import Annotated

import typer

from pellucid.systems import find


def cite(
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="A slug of `pellucid list`.")],
) -> None:
    """Print the BibTeX entry of a system's paper."""
    typer.echo(find(slug).bibtex())
