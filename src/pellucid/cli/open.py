"""`pellucid open MODEL`: what is known of a model, who told it, and what looks wrong."""

from typing import Annotated

import typer
from rich.console import Console

from pellucid.cli import _model
from pellucid.cli._model import ModelOptions, takes_model


@takes_model
def open_model(
    model: Annotated[str, typer.Argument(help="Such as builtin:digits-cnn or net.onnx.")],
    data: _model.Data = None,
    rows: _model.Rows = 200,
    trials: Annotated[
        bool | None,
        typer.Option(
            "--trials/--no-trials",
            help="Ask again in other ways where the model is often wrong; unless given, not where "
            "questions cost something.",
        ),
    ] = None,
    as_json: _model.Json = False,
    *,
    options: ModelOptions,
) -> None:
    """Open a model: say what it takes and emits, how that is known, and what looks wrong.

    With --data the model is asked about rows of it, and again in other ways where it is not right
    on most of them: with channels swapped, other normalisations, labels in another order. Nothing
    is changed by that; what to declare is said.
    """
    from pellucid.cli._opening import examine

    report = examine(model, data, rows, options, trials)
    if as_json:
        typer.echo(report.to_json())
    else:
        report.show(Console())
