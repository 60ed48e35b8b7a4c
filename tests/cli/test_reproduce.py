"""`pellucid reproduce`, on the claims of a small package that is installed for the test."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from pellucid.cli.main import app

SLOW_CLAIM = """
import os
import time
from pathlib import Path

from lodge.attack.slow import Slow
from pellucid.claims.claim import Claim, Pair
from pellucid.claims.comparisons import Difference
from pellucid.claims.relation import Hypothesis, above


def measure(seed, quick):
    time.sleep(float(os.environ["LODGE_SECONDS"]))
    with Path(os.environ["LODGE_LOG"]).open("a") as log:
        log.write(f"{seed} ")
    return {"ahead": Pair(ours=Slow.lead + 0.01 * seed, theirs=0.0)}


CLAIM = Claim(
    slug="slow",
    title="Slow is ahead.",
    seeds=3,
    hypotheses=(
        Hypothesis(
            name="ahead", meaning="by how much", statistic=Difference(), threshold=above(0.5)
        ),
    ),
    measure=measure,
)
"""
ROWS = """
from pellucid.systems import Row

shared = {"kind": "attack", "source": "k", "title": "T", "modality": "vectors", "package": "lodge"}
ROWS = (
    Row(slug="slow", where="attack.slow:Slow", claim="claims.slow:CLAIM", **shared),
    Row(slug="mute", where="attack.slow:Slow", **shared),
)
"""
FILES = {
    "lodge/__init__.py": "",
    "lodge/rows.py": ROWS,
    "lodge/attack/__init__.py": "",
    "lodge/attack/slow.py": "class Slow:\n    lead = 1.0\n",
    "lodge/claims/__init__.py": "",
    "lodge/claims/slow.py": SLOW_CLAIM,
    "lodge-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: lodge\nVersion: 1.0\n",
    "lodge-1.0.dist-info/entry_points.txt": "[pellucid.systems]\nrows = lodge.rows:ROWS\n",
}
PELLUCID = [sys.executable, "-c", "from pellucid.cli.main import main; main()", "reproduce"]


@pytest.fixture
def lodge(tmp_path, monkeypatch):
    """A folder with the package installed, a log of the seeds that were measured, and a cache."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for name, value in (
        ("PYTHONPATH", tmp_path),
        ("PELLUCID_CACHE", tmp_path / "cache"),
        ("LODGE_LOG", tmp_path / "log"),
        ("LODGE_SECONDS", 0),
    ):
        monkeypatch.setenv(name, str(value))
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.split(".")[0] == "lodge"]:
        del sys.modules[name]


def reproduce(*arguments):
    return CliRunner().invoke(app, ["reproduce", *arguments])


def measured(lodge):
    return [int(seed) for seed in (lodge / "log").read_text().split()]


def test_a_claim_is_measured_and_nothing_is_recorded(lodge):
    done = reproduce("slow", "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    told = json.loads(line)
    assert (told["slug"], told["holds"], told["seeds"]) == ("slow", True, [0, 1, 2])
    assert measured(lodge) == [0, 1, 2]
    assert not list((lodge / "cache" / "reproduce").iterdir())


@pytest.mark.parametrize(
    ("options", "seeds", "words"),
    [
        (["--quick"], [0], ["A quick run decides nothing: 1 seed in", "ahead"]),
        (["--seeds", "2", "--seed", "1000"], [1000, 1001], ["Holds: 2 seeds in", "> 0.5"]),
        (["slow"], [0, 1, 2], ["slow: Slow is ahead.", "1.01"]),  # asked for twice, run once
    ],
)
def test_the_table_and_the_choice_of_seeds(lodge, options, seeds, words):
    done = reproduce("slow", *options)
    assert (done.exit_code, done.stderr) == (0, "")
    assert all(word in " ".join(done.stdout.split()) for word in words)
    assert measured(lodge) == seeds


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mute"], "'mute' has no claim to reproduce."),
        (["slow", "mute"], "'mute' has no claim to reproduce."),
        (["slwo"], "did you mean slow?"),
        (["slow", "--seeds", "0"], "at least one"),
        (["slow", "--seed", "-1"], "count up from 0"),
        (["slow", "--quick", "--seeds", "2"], "A quick run has one seed"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence_before_anything_runs(lodge, arguments, said):
    done = reproduce(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (lodge / "log").exists()


def test_ctrl_c_keeps_the_finished_seeds_and_the_same_command_goes_on(lodge, monkeypatch):
    monkeypatch.setenv("LODGE_SECONDS", "0.5")
    running = subprocess.Popen(
        [*PELLUCID, "slow", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while running.poll() is None and not list(lodge.glob("cache/reproduce/*.json")):
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    printed, said = running.communicate(timeout=60)
    assert (running.returncode, printed) == (3, "")
    assert said == (
        "pellucid: stopped by Ctrl-C before 'slow' was done; its finished seeds are kept, and the "
        "same command goes on.\n"
    )
    monkeypatch.setenv("LODGE_SECONDS", "0")
    resumed = reproduce("slow", "--json")
    assert resumed.exit_code == 0
    assert measured(lodge) == [0, 1, 2]  # none of them twice
    monkeypatch.setenv("PELLUCID_CACHE", str(lodge / "elsewhere"))
    straight = reproduce("slow", "--json")
    told, other = (json.loads(one.stdout) for one in (resumed, straight))
    assert told["relations"] == other["relations"]
    assert os.listdir(lodge / "cache" / "reproduce") == []
