"""The door of the command line: registers the commands and turns errors into sentences."""

import functools
import os
import sys
import traceback
from collections.abc import Callable
from typing import Annotated

import typer

import pellucid
from pellucid.cli.attack import attack
from pellucid.cli.audit import audit
from pellucid.cli.cite import cite
from pellucid.cli.compare import compare
from pellucid.cli.data import data
from pellucid.cli.doctor import doctor
from pellucid.cli.list import list_systems
from pellucid.cli.open import open_model
from pellucid.cli.report import report
from pellucid.cli.reproduce import reproduce
from pellucid.cli.show import show
from pellucid.errors import UserError

UNFINISHED = 3  # exit code; 0 done, 1 a gate failed, 2 a question that cannot be asked


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """The command, with a user's error as one sentence, and no failure mistaken for a gate's."""

    @functools.wraps(command)
    def run(*arguments: object, **options: object) -> None:
        try:
            command(*arguments, **options)
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise  # typer's own ways of leaving
        except UserError as error:
            leave(f"pellucid: {error}", error.exit_code)
        except KeyboardInterrupt:
            leave("pellucid: stopped by Ctrl-C before it was done.", UNFINISHED)
        except BrokenPipeError:  # `pellucid list | head`: nobody reads on, so nothing is flushed
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(UNFINISHED) from None
        except Exception:
            leave(f"{traceback.format_exc()}pellucid: this is a fault of Pellucid.", UNFINISHED)

    return run


def leave(sentence: str, code: int) -> None:
    """Print to stderr and end with this exit code."""
    typer.echo(sentence, err=True)
    raise typer.Exit(code)


def print_version(asked: bool) -> bool:
    """Print the version and end, where it was asked for."""
    if asked:
        typer.echo(f"pellucid {pellucid.__version__}")
        raise typer.Exit
    return asked


def top(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Test neural networks: say how a model breaks, and what that cost to find out.

    Exit codes: 0 done, 1 a gate failed, 2 wrong usage, 3 could not finish.
    """


app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
app.callback()(top)
app.command("list")(guarded(list_systems))
app.command()(guarded(show))
app.command()(guarded(cite))
app.command()(guarded(doctor))
app.command()(guarded(data))
app.command("open")(guarded(open_model))
app.command()(guarded(attack))
app.command()(guarded(audit))
app.command()(guarded(report))
app.command()(guarded(compare))
app.command()(guarded(reproduce))


def main() -> None:
    """Run the command line and leave with its exit code."""
    # torch's threads spin while they wait; where other programs want the cores too, the passes of
    # a small network then take many times as long. torch is not imported yet, and the bits stay.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    app(prog_name="pellucid")
