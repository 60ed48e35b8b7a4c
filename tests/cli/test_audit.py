"""`pellucid audit`: its table, its JSON, its folder, and how it goes on after Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from tests.onnx.small import make
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


FILES = ["adversarial.npz", "audit.json", "audit.sarif", "audit.sqlite", "report.html"]
SMALL = ("--rows", 20, "--budget", 2000)
PLAN = """
[[check]]
kind = "clean.accuracy"

[[check]]
kind = "falsify"
system = "square"
radii = [0.05, 0.3]
queries = 60

[[check]]
kind = "falsify"
system = "hopskipjump"
norm = "l2"
queries = 60

[[check]]
kind = "falsify.worst"
norm = "l2"
"""


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(PLAN)
    return path


@pytest.mark.slow
def test_without_arguments_but_small_it_audits_the_digits(folder):
    result = audit(*SMALL)
    assert (result.exit_code, result.stderr) == (0, "")
    for words in ("builtin:digits-cnn on 20 rows of digits", "falsify.apgd", "of 2,000 questions"):
        assert words in result.stdout
    told = json.loads((folder / "audit.json").read_text())
    assert told["finished"] is True
    assert told["summary"]["cost"]["queries"] <= 2000
    assert sorted(path.name for path in folder.iterdir()) == FILES


def test_json_is_what_the_file_holds(folder, plan):
    result = audit(*SMALL, "--access", "label", "--seed", 2, "--plan", plan, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    told = json.loads(result.stdout, parse_constant=pytest.fail)
    assert told == json.loads((folder / "audit.json").read_text())
    assert (told["seed"], told["model"]["access"]) == (2, "label")
    assert "falsify.square.linf" in [one["check"] for one in told["summary"]["not_tested"]]


def test_a_dry_run_says_what_would_be_asked_and_writes_nothing(folder, plan):
    result = audit(*SMALL, "--plan", plan, "--dry-run")
    assert result.exit_code == 0
    assert "falsify.hopskipjump.l2" in result.stdout
    assert not folder.exists()


@pytest.mark.slow
def test_a_gate_fails_with_1_unless_the_finding_is_accepted(folder, plan, tmp_path):
    options = ("--rows", 20, "--plan", plan, "--fail-on", "high")
    failed = audit(*options)
    assert failed.exit_code == 1
    assert failed.stderr.startswith("pellucid: the gate 'high' failed: ")
    bad = [
        one["check"]
        for one in json.loads((folder / "audit.json").read_text())["findings"]
        if one["severity"] in ("high", "critical")
    ]
    accepted = tmp_path / "accepted.toml"
    entry = (
        '[[accepted]]\ncheck = "{}"\nseverity = "critical"\nowner = "Ann"\nexpires = {}\n'
        'reason = "known"\n'
    )
    accepted.write_text("".join(entry.format(check, "2999-01-31") for check in bad))
    passed = audit(*options, "--accepted", accepted)
    assert (passed.exit_code, passed.stderr) == (0, "")
    sarif = json.loads((folder / "audit.sarif").read_text())["runs"][0]
    assert all(one["suppressions"] for one in sarif["results"] if one["ruleId"] in bad)
    accepted.write_text("".join(entry.format(check, "2001-01-31") for check in bad))
    lapsed = audit(*options, "--accepted", accepted)
    assert lapsed.exit_code == 1
    assert "which has passed" in lapsed.stderr


def test_reports_can_be_written_anew(folder, plan):
    assert audit(*SMALL, "--plan", plan).exit_code == 0
    before = {name: (folder / name).read_bytes() for name in FILES if name != "audit.sqlite"}
    for name in before:
        (folder / name).unlink()
    assert CliRunner().invoke(app, ["report"]).exit_code == 0
    assert {name: (folder / name).read_bytes() for name in before} == before
    result = CliRunner().invoke(app, ["report", "nowhere"])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "nowhere holds no audit" in result.stderr


def test_a_controller_is_audited_by_its_specifications(tmp_path):
    onnx.save(make(entry=("n", 5), leave=("n", 3)), tmp_path / "net.onnx")
    (tmp_path / "specs").mkdir()
    box = "".join(
        f"(declare-const X_{i} Real)(assert (>= X_{i} 0))(assert (<= X_{i} 0.1))" for i in range(5)
    )
    box += "".join(f"(declare-const Y_{i} Real)" for i in range(3))
    (tmp_path / "specs" / "never.vnnlib").write_text(f"{box}(assert (>= Y_0 1000))")
    (tmp_path / "specs" / "always.vnnlib").write_text(f"{box}(assert (<= Y_0 1000))")
    result = audit(tmp_path / "net.onnx", "--spec", tmp_path / "specs", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    told = json.loads(result.stdout)
    assert told["summary"]["clean_accuracy"] is None
    assert "labelled rows" in told["summary"]["clean_reason"]
    found = {one["check"]: one for one in told["findings"]}
    assert found["property.never"]["figures"]["answer"] == "holds"
    assert found["property.always"]["severity"] == "high"
    assert found["property.always"]["figures"]["answer"] == "violated"


def test_a_model_at_chance_ends_with_3_and_a_cause(tmp_path):
    rng = np.random.default_rng(0)
    rows = tmp_path / "noise.npz"
    x, y = rng.random((40, 1, 8, 8), np.float32), rng.integers(0, 10, 40)
    np.savez(rows, x=x, y=y)
    result = audit("--data", rows, "--access", "label")
    assert result.exit_code == 3
    assert "not above chance" in result.stderr


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
        (["--budget", "-1"], "nothing can be tested"),
        (["--plan", "quikc"], "did you mean quick"),
        (["--spec", "none.vnnlib"], "none.vnnlib"),
        (["--accepted", "none.toml"], "no file at none.toml"),
        (["--seconds", "0"], "needs time"),
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


def begun(options):
    """An audit in a process of its own."""
    return subprocess.Popen(
        [*PELLUCID, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ALONE
    )


def straight(options):
    """The same audit, which nobody disturbs."""
    subprocess.run([*PELLUCID, "--out", "other", *options], check=True, env=ALONE)
    return json.loads(Path("other/audit.json").read_text())


LONG = ["--rows", "40", "--plan", "plan.toml"]


@pytest.mark.slow
@pytest.mark.usefixtures("plan")
def test_ctrl_c_keeps_the_findings_and_the_same_command_goes_on(folder):
    running = begun(LONG)
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
    resumed = subprocess.run([*PELLUCID, *LONG, "--resume"], capture_output=True, env=ALONE)
    assert resumed.returncode == 0, resumed.stderr
    told, whole = json.loads((folder / "audit.json").read_text()), straight(LONG)
    assert told["finished"] is True
    assert kept["findings"] == whole["findings"][: len(kept["findings"])]
    assert told["summary"]["robust_accuracy"] == whole["summary"]["robust_accuracy"]


@pytest.mark.slow
@pytest.mark.usefixtures("plan")
def test_an_audit_that_is_killed_goes_on_to_the_same_findings(folder):
    whole = straight(LONG)
    rng = np.random.default_rng()
    for _ in range(3):
        running = begun([*LONG, "--resume"])
        while running.poll() is None and not (folder / "unfinished").exists():
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 1))
        running.kill()
        running.communicate(timeout=60)
    ended = subprocess.run([*PELLUCID, *LONG, "--resume"], capture_output=True, env=ALONE)
    assert ended.returncode == 0, ended.stderr
    told = json.loads((folder / "audit.json").read_text())
    assert [one["figures"] for one in told["findings"]] == [
        one["figures"] for one in whole["findings"]
    ]
    assert [one["severity"] for one in told["findings"]] == [
        one["severity"] for one in whole["findings"]
    ]
