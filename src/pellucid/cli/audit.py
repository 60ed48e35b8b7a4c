"""`pellucid audit [MODEL]`: how a model fares, clean and attacked."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pellucid.cli import _model
from pellucid.cli._model import ModelOptions, takes_model


@takes_model
def audit(
    model: Annotated[str, typer.Argument(help="Such as builtin:digits-cnn or net.onnx.")] = (
        "builtin:digits-cnn"
    ),
    data: _model.Data = None,
    access: _model.Access = None,
    budget: Annotated[
        int, typer.Option(help="Questions in all, those of the judge included.")
    ] = 200_000,
    seed: _model.Seed = 0,
    rows: _model.Rows = 200,
    out: Annotated[Path, typer.Option(help="The folder for audit.json.")] = Path("pellucid-audit"),
    as_json: _model.Json = False,
    *,
    options: ModelOptions,
) -> None:
    """Audit a model: its accuracy on rows as they are, and as attacks move them."""
    from pellucid.audit import Audit, Stopped, run
    from pellucid.audit.table import table
    from pellucid.cli._meeting import met

    def tell(done: Audit) -> None:
        if as_json:
            typer.echo(done.to_json(), nl=False)
        else:
            Console().print(table(done))

    try:
        opened, chosen = met(model, data, rows, options)
        done = run(opened, data=chosen, access=access, budget=budget, seed=seed, out=out)
    except Stopped as stop:
        tell(stop.audit)
        raise _model.Stopped(
            f"stopped by Ctrl-C before the audit was done; its findings so far are in {out}, and "
            "the same command goes on."
        ) from None
    tell(done)
    if not as_json:
        typer.echo(f"Written to {out / 'audit.json'}.")
