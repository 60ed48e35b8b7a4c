"""`pellucid audit`: its table, its JSON, its folder, and how it goes on after Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from typer.testing import CliRunner

from pellucid.cli.main import app

PELLUCID = [sys.executable, "-c", "from pellucid.cli.main import main; main()", "audit"]
ALONE = os.environ | {"OMP_NUM_THREADS": "1"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "pellucid-audit"


def audit(*arguments):
    return CliRunner().invoke(app, ["audit", *map(str, arguments)])


def test_without_arguments_but_small_it_audits_the_digits(folder):
    result = audit("--rows", 10, "--budget", 2000)
    assert (result.exit_code, result.stderr) == (0, "")
    for words in ("builtin:digits-cnn on 10 rows of digits", "pgd-linf", "of 2,000 questions"):
        assert words in result.stdout
    told = json.loads((folder / "audit.json").read_text())
    assert told["finished"] is True
    assert told["summary"]["cost"]["queries"] <= 2000
    assert [path.name for path in folder.iterdir()] == ["audit.json"]


def test_json_is_what_the_file_holds(folder):
    result = audit("--rows", 5, "--budget", 500, "--access", "label", "--seed", 2, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    told = json.loads(result.stdout, parse_constant=pytest.fail)
    assert told == json.loads((folder / "audit.json").read_text())
    assert (told["seed"], told["model"]["access"]) == (2, "label")
    assert [one["check"] for one in told["summary"]["not_tested"]] == ["pgd-linf", "pgd-l2"]


def test_data_and_folder_can_be_named(tmp_path):
    rows = tmp_path / "mine.npz"
    np.savez(rows, x=np.full((3, 1, 8, 8), 0.5, np.float32), y=np.array([0, 1, 2]))
    result = audit("--data", rows, "--out", tmp_path / "else", "--budget", 100, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["data"]["name"] == "mine"
    assert (tmp_path / "else" / "audit.json").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["model.onnx"], "no file at model.onnx"),
        (["--budget", "-1"], "budget of -1 questions is too little"),
        (["--rows", "0"], "at least one row"),
        (["--data", "none.npz"], "no data file at none.npz"),
        (["--access", "none"], "An audit needs a LabelBox"),
        (["--out", __file__], "choose another folder"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(arguments, said, folder):
    result = audit(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not folder.exists()


@pytest.mark.parametrize(("theirs", "ours"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_idle_threads_of_torch_leave_the_cores_to_others_unless_told(theirs, ours):
    program = (
        "import atexit, os, sys; from pellucid.cli.main import main; "
        "atexit.register(lambda: print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)); "
        "sys.argv = ['', 'list']; main()"
    )
    given = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    told = given | ({"OMP_WAIT_POLICY": theirs} if theirs else {})
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=told)
    assert done.stdout.splitlines()[-1] == f"{ours} False"


@pytest.mark.slow
def test_ctrl_c_keeps_the_findings_and_the_same_command_goes_on(folder):
    options = ["--rows", "30", "--budget", "40000"]
    running = subprocess.Popen(
        [*PELLUCID, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ALONE
    )
    store = folder / "unfinished" / "answers.sqlite-wal"
    while running.poll() is None and not (store.exists() and store.stat().st_size > 2**18):
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    printed, said = running.communicate(timeout=60)
    assert running.returncode == 3, said
    assert said.startswith("pellucid: stopped by Ctrl-C")
    assert said.count("\n") == 1
    assert "stopped before its end" in " ".join(printed.split())
    kept = json.loads((folder / "audit.json").read_text())
    assert kept["finished"] is False
    assert [one["check"] for one in kept["findings"]] == ["clean", "pgd-linf", "pgd-l2"]
    commands = (PELLUCID, [*PELLUCID, "--out", "other"])
    ends = [subprocess.run([*one, *options], capture_output=True, env=ALONE) for one in commands]
    assert [one.returncode for one in ends] == [0, 0]
    resumed, straight = (
        json.loads((place / "audit.json").read_text())
        for place in (folder, folder.parent / "other")
    )
    assert resumed["finished"] is True
    assert kept["findings"] == straight["findings"][:3]
    assert resumed["summary"]["robust_accuracy"] == straight["summary"]["robust_accuracy"]
    assert resumed["findings"][3]["figures"] == straight["findings"][3]["figures"]
