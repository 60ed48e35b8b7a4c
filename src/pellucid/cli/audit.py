"""`pellucid audit [MODEL]`: tests a model by a plan, and reports what was found."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from pellucid.cli import _model
from pellucid.cli._model import ModelOptions, takes_model

# The levels have their home beside torch, which no listing of commands should wait for; the type
# checker sees to it that they are the same.
Level = Literal["low", "medium", "high", "critical"]
OUT = Path("pellucid-audit")


@takes_model
def audit(
    model: Annotated[str, typer.Argument(help="Such as builtin:digits-cnn or net.onnx.")] = (
        "builtin:digits-cnn"
    ),
    data: _model.Data = None,
    spec: Annotated[
        Path | None,
        typer.Option(
            help="A VNN-LIB file or a folder of them; with it, a model needs no labelled rows."
        ),
    ] = None,
    access: _model.Access = None,
    plan: Annotated[
        str, typer.Option(help="What to test: quick, standard, deep, or a TOML file.")
    ] = "quick",
    budget: Annotated[
        int | None,
        typer.Option(
            help="Questions in all, those of the judge included; unless given, as many as the plan "
            "can use, or 200,000 to an endpoint."
        ),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(help="Stop after so long; --resume goes on.")
    ] = None,
    seed: _model.Seed = 0,
    rows: Annotated[
        int | None, typer.Option(help="Take so many rows, the first ones; else as the plan says.")
    ] = None,
    out: Annotated[
        Path, typer.Option(help="The folder for the reports; an older audit is moved aside.")
    ] = OUT,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the audit in the folder.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be tested and asked, and stop.")
    ] = False,
    fail_on: Annotated[
        Level | None,
        typer.Option(help="Exit with 1 if a finding is as bad as this and is not accepted."),
    ] = None,
    accepted: Annotated[
        Path | None, typer.Option(help="A TOML file of findings that someone has accepted.")
    ] = None,
    answers: _model.AnswersIn = None,
    as_json: _model.Json = False,
    *,
    options: ModelOptions,
) -> None:
    """Audit a model: its accuracy, how attacks move it, what is proven, and why it decides.

    Writes report.html, audit.json, audit.sarif and adversarial.npz. Findings alone exit 0.
    """
    from pellucid.audit import Audit, Stopped, carry_out, prepare
    from pellucid.audit.plan import plan as read_plan
    from pellucid.audit.table import findings, planned
    from pellucid.cli._gate import gate
    from pellucid.cli._meeting import known, met

    def tell(done: Audit) -> None:
        if as_json:
            typer.echo(done.to_json(), nl=False)
        else:
            Console().print(findings(done))

    chosen = read_plan(plan)
    wanted = chosen.rows if rows is None else rows
    if data is None and spec is not None:
        opened, sample = known(model, options), None
    else:
        opened, sample = met(model, data, wanted, options)
    prepared = prepare(
        opened, data=sample, spec=spec, access=access, plan=chosen, budget=budget, seed=seed
    )
    if dry_run:
        Console().print(planned(prepared))
        return
    try:
        done = carry_out(
            prepared, out=out, resume=resume, seconds=seconds, accepted=accepted, answers=answers
        )
    except Stopped as stop:
        tell(stop.audit)
        raise _model.Stopped(
            f"stopped by Ctrl-C before the audit was done; its findings so far are in {out}, and "
            "the same command with --resume goes on."
        ) from None
    tell(done)
    if not as_json:
        typer.echo(f"Written to {out / 'report.html'}, beside audit.json and audit.sarif.")
    gate(done, fail_on)
    if done.stopped is not None:
        raise _model.Stopped(f"the audit ended early: {done.stopped}.")
