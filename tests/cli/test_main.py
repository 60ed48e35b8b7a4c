"""The door of the command line: exit codes, sentences, start-up."""

import os
import signal
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

import pellucid
from pellucid.cli.main import app, guarded
from pellucid.errors import UserError

PELLUCID = [sys.executable, "-c", "from pellucid.cli.main import main; main()"]


def outcome(error):
    """How the program ends when a command raises this."""

    def command() -> None:
        raise error

    program = typer.Typer(rich_markup_mode=None)
    program.command()(guarded(command))
    return CliRunner().invoke(program, [])


class Unfinished(UserError):
    exit_code = 3


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UserError("Say it otherwise."), 2, "pellucid: Say it otherwise.\n"),
        (Unfinished("The disk is full."), 3, "pellucid: The disk is full.\n"),
        (KeyboardInterrupt(), 3, "pellucid: stopped by Ctrl-C before it was done.\n"),
        (typer.Exit(1), 1, ""),
    ],
)
def test_an_error_that_a_user_causes_is_one_sentence(error, code, said):
    result = outcome(error)
    assert (result.exit_code, result.stderr, result.stdout) == (code, said, "")


def test_a_fault_of_the_program_shows_where_and_is_not_taken_for_a_failed_gate():
    result = outcome(ZeroDivisionError("by zero"))
    assert result.exit_code == 3
    assert "ZeroDivisionError: by zero" in result.stderr
    assert result.stderr.endswith("pellucid: this is a fault of Pellucid.\n")


@pytest.mark.parametrize("arguments", [["nonsense"], ["list", "--nonsense"], ["show"]])
def test_wrong_usage_exits_with_2_and_says_where_help_is(arguments):
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "--help' for help" in result.stderr


def test_the_version_is_the_package_s():
    assert CliRunner().invoke(app, ["--version"]).stdout == f"pellucid {pellucid.__version__}\n"


def test_ctrl_c_stops_a_running_command_with_3():
    running = subprocess.Popen(
        [*PELLUCID, "doctor"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stdout.readline().startswith("ok")  # it is at work, not still starting
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert (running.returncode, said) == (3, "pellucid: stopped by Ctrl-C before it was done.\n")


def test_a_reader_that_leaves_early_sees_no_traceback():
    ends = os.pipe()
    os.close(ends[0])
    done = subprocess.run([*PELLUCID, "list", "--json"], stdout=ends[1], stderr=subprocess.PIPE)
    os.close(ends[1])
    assert (done.returncode, done.stderr) == (3, b"")


def spent(arguments):
    """Processor seconds of the quickest of three runs: other work on the machine is not ours."""
    seconds = []
    for _ in range(3):
        before = os.times()
        subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        seconds.append(
            after.children_user
            + after.children_system
            - before.children_user
            - before.children_system
        )
    return min(seconds)


def test_listing_starts_within_half_a_second_and_importing_within_a_fifth():
    assert spent([*PELLUCID, "list"]) < 0.5
    assert spent([sys.executable, "-c", "import pellucid"]) < 0.2


def test_listing_never_imports_torch():
    program = (
        "import atexit, sys; from pellucid.cli.main import main; "
        "atexit.register(lambda: print('torch' in sys.modules)); sys.argv = ['', 'list']; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "False"
    assert done.returncode == 0
