"""`pellucid reproduce SLUG...`: papers' headlines, measured again."""

from typing import Annotated

import typer
from rich.console import Console

from pellucid.cli._model import Stopped
from pellucid.systems import find


def reproduce(
    slugs: Annotated[list[str], typer.Argument(help="Slugs of `pellucid list`.")],
    quick: Annotated[
        bool, typer.Option("--quick", help="One seed in at most three minutes; decides nothing.")
    ] = False,
    seeds: Annotated[
        int | None, typer.Option(help="How many; as many as the claim asks for unless given.")
    ] = None,
    first: Annotated[int | None, typer.Option("--seed", help="The first seed.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON a slug.")] = False,
) -> None:
    """Measure what papers claim, and say whether it holds here; nothing is recorded."""
    from pellucid.claims.stale import load_claim
    from pellucid.cli._reproducing import measure, table

    claims = [load_claim(find(slug)) for slug in dict.fromkeys(slugs)]  # all, before any runs
    for claim in claims:
        try:
            result = measure(claim, seeds=seeds, first=first, quick=quick)
        except KeyboardInterrupt:
            raise Stopped(
                f"stopped by Ctrl-C before '{claim.slug}' was done; its finished seeds are kept, "
                "and the same command goes on."
            ) from None
        if as_json:
            typer.echo(result.to_json())
        else:
            Console().print(table(result))
