"""`pellucid attack SLUG MODEL [DATA]`: one attack on rows of data."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pellucid.cli import _model
from pellucid.cli._model import ModelOptions, Stopped, takes_model


@takes_model
def attack(
    slug: Annotated[str, typer.Argument(help="An attack of `pellucid list --kind attack`.")],
    model: Annotated[str, typer.Argument(help="Such as builtin:digits-cnn or net.onnx.")],
    data: Annotated[
        str | None,
        typer.Argument(
            help="A data set's name, or an .npz file with x and y, a CSV or Parquet file, or a "
            "folder of images; a builtin model's own test rows unless given.",
        ),
    ] = None,
    access: _model.Access = None,
    budget: Annotated[int, typer.Option(help="Questions that a row may ask.")] = 1000,
    norm: _model.Norm = None,
    epsilon: Annotated[
        float | None,
        typer.Option(help="The radius to stay in, in the data's units; the method's own if any."),
    ] = None,
    surrogate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL",
            help="A model of your own that the attack may look into, for attacks that transfer; "
            "repeatable.",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Set a field of the method; repeatable."),
    ] = None,
    seed: _model.Seed = 0,
    rows: _model.Rows = 100,
    out: Annotated[
        Path | None, typer.Option(help="A folder to keep the run in; a stopped one goes on.")
    ] = None,
    answers: _model.AnswersIn = None,
    as_json: _model.Json = False,
    *,
    options: ModelOptions,
) -> None:
    """Attack rows of data, and say how many gave way and what that cost.

    With --out a folder holds run.safetensors, answers.sqlite, adversarial.npz and attack.json; the
    answers of an endpoint cost something, so without --out they are kept in pellucid-attack.
    """
    from pellucid.audit.access import named
    from pellucid.box.protocols import LADDER, LabelBox
    from pellucid.cli._attacking import Order, carry_out
    from pellucid.cli._meeting import allies, met
    from pellucid.cli._method import attack_row, build
    from pellucid.errors import UserError
    from pellucid.needs import needs

    method = build(attack_row(slug), settings or (), norm, epsilon)
    wants = needs(method)
    if surrogate and wants.surrogates is None:
        raise UserError(f"{slug} has no use for surrogates: leave out --surrogate.")
    if wants.surrogates is not None and not surrogate:
        raise UserError(f"{slug} starts from surrogates: name one or more with --surrogate.")
    # what the method may not see at all the judge still asks
    granted = access or named(max(wants.box, LabelBox, key=LADDER.index))
    opened, chosen = met(model, data, rows, options)
    order = Order(
        system=slug,
        method=method,
        model=opened,
        access=granted,
        data=chosen,
        budget=budget,
        seed=seed,
        surrogates=allies(surrogate or (), chosen, options),
    )
    if out is None and opened.paid:
        out = Path("pellucid-attack")
    report, stopped = carry_out(order, opened.box(granted), out, answers)
    if as_json:
        typer.echo(report.to_json())
    else:
        Console().print(report.table())
    if stopped:
        kept = f"is in {out}, and the same command goes on" if out else "stands above"
        raise Stopped(f"stopped by Ctrl-C before the attack was done; what was found {kept}.")
