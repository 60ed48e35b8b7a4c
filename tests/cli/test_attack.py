"""`pellucid attack`: what it runs, prints and keeps, and what it refuses."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from itertools import count

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

import pellucid
from pellucid.attack.evade.hop_skip_jump import HopSkipJump
from pellucid.cli.main import app
from pellucid.data import load

PELLUCID = [sys.executable, "-c", "from pellucid.cli.main import main; main()"]
MODEL = "builtin:digits-cnn"
FILES = ["adversarial.npz", "answers.sqlite", "attack.json", "run.safetensors"]


def attack(*arguments):
    return CliRunner().invoke(app, ["attack", *map(str, arguments)])


def told(*arguments):
    """The JSON of an attack that ends well, and says nothing else."""
    result = attack(*arguments, "--json")
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return json.loads(result.stdout, parse_constant=pytest.fail)


def save(path, x, y):
    np.savez(path, x=np.asarray(x, np.float32), y=np.asarray(y))
    return path


@pytest.fixture
def digits():
    rows = load("digits", "test")
    return rows.x[:6].numpy(), rows.y[:6].numpy()


def test_it_finds_what_python_finds():
    found = told("hopskipjump", MODEL, "--rows", 5, "--budget", 120, "--seed", 3)
    rows = load("digits", "test")
    run = pellucid.run(
        HopSkipJump(),
        pellucid.open(MODEL, access="label"),
        rows.x[:5],
        goal=pellucid.misled(rows.y[:5]),
        budget=120,
        seed=3,
    )
    measured = run.summary() | {"seconds": None}
    assert measured.items() <= (found["figures"] | {"seconds": None}).items()
    assert found["finished"] is True
    assert (found["access"], found["data"]["rows"]) == ("label", 5)


def test_a_model_that_is_wrong_on_every_row_is_told_too(tmp_path, digits):
    x, y = digits
    found = told("pgd", MODEL, save(tmp_path / "wrong.npz", x, (y + 1) % 10))["figures"]
    assert (found["attacked"], found["mean_queries"], found["success_rate"]) == (0, None, None)


def test_answers_may_be_kept_elsewhere_and_are_not_bought_again(tmp_path):
    order = ("hopskipjump", MODEL, "--rows", 2, "--budget", 50, "--answers", tmp_path / "shared")
    first = told(*order, "--out", tmp_path / "one")["figures"]
    again = told(*order, "--out", tmp_path / "other")["figures"]
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == [
        name for name in FILES if name != "answers.sqlite"
    ]
    assert first["paid"] > 50
    assert again["paid"] == 0
    assert told(*order)["figures"]["paid"] == 0
    refused = attack(*order[:-1], "postgresql://me:hunter2@127.0.0.1/a")
    assert refused.exit_code == 2
    assert "PGPASSWORD" in refused.stderr
    assert "hunter2" not in refused.output


def test_fields_norm_and_epsilon_reach_the_method():
    options = ("--norm", "l2", "--epsilon", 0.5, "--set", "steps=7", "--set", "random=false")
    found = told("pgd", MODEL, "--rows", 3, *options)
    assert found["method"]["ball"] == {"norm": "l2", "radius": 0.5}
    assert (found["method"]["steps"], found["method"]["random"]) == (7, False)
    assert found["figures"]["most_queries"] <= 7
    assert found["access"] == "gradient"


def test_a_method_s_own_norm_comes_with_its_own_radius():
    found = told("pgd", MODEL, "--rows", 2, "--norm", "linf")
    assert found["method"]["ball"] == {"norm": "linf", "radius": 0.3}
    free = told("hopskipjump", MODEL, "--rows", 2, "--norm", "linf", "--budget", 20)
    assert free["method"]["ball"] == {"norm": "linf", "radius": None}


def test_preprocessing_lets_the_data_keep_their_own_units(tmp_path, digits):
    x, y = digits
    ink = save(tmp_path / "ink.npz", x * 16, y)
    units = ("--bounds", "0,16", "--std", "16", "--mean", "0", "--shape", "1,8,8")
    one = told("pgd", MODEL, ink, "--epsilon", 1.6, *units)["figures"]
    other = told("pgd", MODEL, "--rows", 6, "--epsilon", 0.1)["figures"]
    assert one["attacked"] == other["attacked"]
    assert one["median_linf"] == pytest.approx(16 * other["median_linf"], rel=0.01)


def test_the_table_has_the_figures():
    result = attack("pgd", MODEL, "digits", "--rows", 4, "--epsilon", 0.3)
    assert result.exit_code == 0
    for words in ("4, of which 4 were right", "95 % interval", "median linf", "4 done"):
        assert words in result.stdout


def test_a_folder_keeps_what_was_found(tmp_path, digits):
    out = tmp_path / "new" / "out"
    found = told("hopskipjump", MODEL, "--rows", 6, "--budget", 150, "--out", out)
    assert sorted(path.name for path in out.iterdir()) == FILES
    assert json.loads((out / "attack.json").read_text()) == found
    with np.load(out / "adversarial.npz") as kept:
        x, y, adversarial, success = (kept[k] for k in ("x", "y", "adversarial", "success"))
    assert (x == digits[0]).all()
    assert (y == digits[1]).all()
    answers = pellucid.open(MODEL, access="label").labels(torch.from_numpy(adversarial)).numpy()
    assert (answers != y).tolist() == success.tolist()
    assert success.sum() == found["figures"]["succeeded"]


def test_the_same_command_again_is_done_at_once_with_the_same_bits(tmp_path):
    arguments = ("hopskipjump", MODEL, "--rows", 4, "--budget", 90, "--out", tmp_path)
    first = told(*arguments)
    before = (tmp_path / "adversarial.npz").read_bytes()
    assert told(*arguments) == first
    assert (tmp_path / "adversarial.npz").read_bytes() == before
    other = attack(*arguments, "--seed", 1)
    assert other.exit_code == 2
    assert "holds a run with another seed" in other.stderr
    assert (tmp_path / "adversarial.npz").read_bytes() == before


def refusal(result):
    """The one sentence of a command that refuses."""
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("pellucid: ")
    assert result.stderr.endswith((".\n", "?\n"))
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pdg", MODEL], "did you mean pgd"),
        (["pgd", "model.pt"], "no file at model.pt"),
        (["pgd", "resnet"], "'resnet' names no model"),
        (["pgd", __file__], "names no model"),
        (["pgd", "builtin:digit-cnn"], "did you mean digits-cnn"),
        (["pgd", MODEL, "no/such/rows.npz"], "no data file at no/such/rows.npz"),
        (["pgd", MODEL, "digts"], "did you mean digits"),
        (["pgd", MODEL, "--access", "label"], "PGD needs a GradBox"),
        (["pgd", MODEL, "--budget", "-1"], "0 or more, but it is -1"),
        (["pgd", MODEL, "--rows", "0"], "at least one row"),
        (["pgd", MODEL, "--norm", "l2"], "give --epsilon for l2"),
        (["pgd", MODEL, "--epsilon", "-1"], "must be positive"),
        (["pgd", MODEL, "--set", "steps"], "--set takes FIELD=VALUE"),
        (["pgd", MODEL, "--set", "step=many"], "many"),
        (["pgd", MODEL, "--set", "stepps=3"], "steps"),
        (["pgd", MODEL, "--bounds", "0"], "--bounds takes two numbers"),
        (["pgd", MODEL, "--bounds", "1,0"], "must rise"),
        (["pgd", MODEL, "--mean", "half"], "--mean takes numbers"),
        (["pgd", MODEL, "--std", "0"], "must be positive"),
        (["pgd", MODEL, "--shape", "1,8,x"], "--shape takes whole numbers"),
        (["pgd", MODEL, "--shape", "1,2,2"], "cannot take rows of shape"),
        (["pgd", MODEL, "--emits", "values"], "goal misled speaks of classes"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(arguments, said):
    assert said in refusal(attack(*arguments))


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (np.zeros((2, 7, 8)), [0, 1], "takes rows of shape (1, 8, 8)"),
        (np.full((2, 1, 8, 8), np.nan), [0, 1], "NaN"),
        (np.full((2, 1, 8, 8), 16), [0, 1], "outside the bounds"),
        (np.zeros((2, 1, 8, 8)), [0, 10], "names class 10 in row 1"),
        (np.zeros((2, 1, 8, 8)), [0, -1], "classes are numbered from 0"),
        (np.zeros((0, 1, 8, 8)), [], "y must hold class numbers"),
    ],
)
def test_bad_rows_are_refused_in_a_sentence(tmp_path, x, y, said):
    path = save(tmp_path / "rows.npz", x, y)
    assert said in refusal(attack("pgd", MODEL, path))


def test_an_out_that_is_a_file_is_refused(tmp_path):
    taken = save(tmp_path / "taken.npz", [[0.0]], [0])
    assert "choose another folder" in refusal(attack("pgd", MODEL, "--out", taken))


@pytest.mark.parametrize("option", ["--access", "--norm", "--emits", "--layout"])
def test_a_word_that_is_none_of_the_choices_is_wrong_usage(option):
    result = attack("pgd", MODEL, option, "nonsense")
    assert result.exit_code == 2
    assert option in result.stderr


ALONE = os.environ | {"OMP_NUM_THREADS": "1"}
LONG = ["attack", "hopskipjump", MODEL, "--rows", "30", "--budget", "1500", "--json"]


def answers_in(path):
    with closing(sqlite3.connect(path)) as store:
        return store.execute("SELECT count(*) FROM answers").fetchone()[0]


def interrupted_run(out):
    """A process that is sent Ctrl-C once it has bought some thousands of its 45,000 answers."""
    command = [*PELLUCID, *LONG, "--out", out]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ALONE
    )
    store = out / "answers.sqlite-wal"
    while running.poll() is None and not (store.exists() and store.stat().st_size > 2**18):
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    printed, said = running.communicate(timeout=60)
    return running.returncode, printed, said


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_found_and_the_same_command_ends_with_the_same_bits(tmp_path):
    stopped, whole = tmp_path / "stopped", tmp_path / "whole"
    code, printed, said = interrupted_run(stopped)
    assert code == 3, said
    assert said == (
        "pellucid: stopped by Ctrl-C before the attack was done; what was found is in "
        f"{stopped}, and the same command goes on.\n"
    )
    found = json.loads(printed)
    assert found["finished"] is False
    assert found["figures"]["status"]["interrupted"] > 0
    assert sorted(path.name for path in stopped.iterdir()) == FILES
    bought = answers_in(stopped / "answers.sqlite")
    done = [
        subprocess.run([*PELLUCID, *LONG, "--out", out], capture_output=True, env=ALONE)
        for out in (stopped, whole)
    ]
    assert [one.returncode for one in done] == [0, 0]
    resumed, straight = (json.loads(one.stdout)["figures"] for one in done)
    assert 0 < bought < answers_in(whole / "answers.sqlite")
    assert answers_in(stopped / "answers.sqlite") == answers_in(whole / "answers.sqlite")
    for name in ("success_rate", "median_l2", "mean_queries", "most_queries", "status"):
        assert resumed[name] == straight[name]
    one, other = ((out / "adversarial.npz").read_bytes() for out in (stopped, whole))
    assert one == other


def test_ctrl_c_without_a_folder_prints_what_was_found():
    passes = count(1)

    def press(_module, _arguments):
        if next(passes) == 500:  # of all layers: well on the way
            signal.raise_signal(signal.SIGINT)

    hook = nn.modules.module.register_module_forward_pre_hook(press)
    try:
        result = attack("hopskipjump", MODEL, "--budget", 100_000, "--json")
    finally:
        hook.remove()
    assert result.exit_code == 3
    assert "what was found stands above" in result.stderr
    assert json.loads(result.stdout)["finished"] is False


def test_a_transfer_asks_its_surrogates_and_the_model_only_at_the_end():
    own = ("--surrogate", MODEL) * 2
    found = told("adaea", MODEL, *own, "--rows", 5, "--set", "steps=3")
    assert found["surrogates"] == [MODEL] * 2
    assert found["figures"]["mean_queries"] == 0
    assert 5 <= found["figures"]["judged"] <= 10


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["adaea", MODEL], "starts from surrogates: name one or more with --surrogate"),
        (["pgd", MODEL, "--surrogate", MODEL], "has no use for surrogates"),
        (["adaea", MODEL, "--surrogate", "nowhere.onnx"], "nowhere.onnx"),
    ],
)
def test_surrogates_that_do_not_suit_are_refused(arguments, words):
    result = attack(*arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
