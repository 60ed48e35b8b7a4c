"""Recipes: their hash, and the cache of what they made."""

import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location

import pytest
import torch
from torch import nn

from pellucid import data, fit
from pellucid.claims.recipe import RECORD, WEIGHTS, Recipe
from pellucid.claims.subjects import recipe
from pellucid.models.small_cnn import SmallCNN
from pellucid.train.course import Course
from pellucid.train.fast_training import FastTraining
from pellucid.train.pgd_training import PGDTraining
from pellucid.train.standard import Standard

COURSE = Course(epochs=2, batch=50, rate=0.01)

TINY = Recipe(
    name="tiny",
    architecture=partial[nn.Module](SmallCNN, (1, 8, 8), channels=(2, 4), hidden=8),
    data="digits",
    trainer=Standard(course=COURSE),
    rows=200,
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 1},
        {"rows": None},
        {"trainer": Standard(course=replace(COURSE, epochs=3))},
        {"trainer": Standard(course=replace(COURSE, batch=51))},
        {"trainer": Standard(course=replace(COURSE, rate=0.02))},
        {"trainer": PGDTraining(course=COURSE)},
        {"data": "mnist"},
        {"architecture": partial[nn.Module](SmallCNN, (1, 8, 8), channels=(2, 4), hidden=9)},
    ],
)
def test_every_field_counts(changed):
    assert replace(TINY, **changed).hash() != TINY.hash()


def test_source_of_the_network_counts(tmp_path):
    path = tmp_path / "own_net.py"

    def with_source(text):
        path.write_text(text)
        spec = spec_from_file_location("own_net", path)
        module = module_from_spec(spec)
        sys.modules["own_net"] = module
        spec.loader.exec_module(module)
        return replace(TINY, architecture=partial[nn.Module](module.Net)).hash()

    text = "from torch import nn\n\nclass Net(nn.Linear):\n    pass\n"
    try:
        assert with_source(text) == with_source(text)
        assert with_source(text) != with_source(text + "# changed\n")
    finally:
        del sys.modules["own_net"]


def test_hash_is_the_same_in_another_process():
    code = "from pellucid.claims.subjects import recipe; print(recipe('digits-cnn', 3).hash())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == recipe("digits-cnn", 3).hash()


def test_made_once_and_the_same_from_the_cache(cache):
    first = TINY.build()
    kept = cache / "subjects" / TINY.hash()
    written = (kept / WEIGHTS).stat()
    second = TINY.build()
    assert (kept / WEIGHTS).stat() == written
    assert [path.name for path in (cache / "subjects").iterdir()] == [TINY.hash()]
    for one, two in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, two)
    assert not any(part.training for part in [*first.modules(), *second.modules()])


def test_cached_weights_are_what_is_loaded(cache):
    """The cache is read, not trained again beside it."""
    TINY.build()
    other = replace(TINY, seed=1)
    other.build()
    (cache / "subjects" / other.hash() / WEIGHTS).replace(
        cache / "subjects" / TINY.hash() / WEIGHTS
    )
    fresh = other.train()
    for one, two in zip(TINY.build().parameters(), fresh.parameters(), strict=True):
        assert torch.equal(one, two)


def test_record_is_true():
    module, test = TINY.build(), data.load("digits", "test")
    record = json.loads((TINY.folder() / RECORD).read_text())
    assert record["accuracy"] == fit.accuracy(module, test.x, test.y)
    assert record["trainer"] == repr(TINY.trainer)
    assert record["seconds"] > 0


def test_the_second_of_two_makers_gives_way(cache):
    TINY.build()
    written = (TINY.folder() / WEIGHTS).stat()
    TINY._make(TINY.folder())  # as a process does that found no folder before this one was done
    assert (TINY.folder() / WEIGHTS).stat() == written
    assert [path.name for path in (cache / "subjects").iterdir()] == [TINY.hash()]


def test_nothing_is_kept_of_a_training_that_fails(cache):
    with pytest.raises(fit.BadTraining):
        replace(TINY, trainer=Standard(course=Course(epochs=0))).build()
    assert not list(cache.rglob("*.safetensors"))


def test_global_generator_is_left_as_found():
    before = torch.get_rng_state()
    TINY.build()
    TINY.build()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_decide_no_bit_and_are_left_as_found(threads):
    found = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        made = TINY.train()
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(found)
    for one, two in zip(made.parameters(), TINY.train().parameters(), strict=True):
        assert torch.equal(one, two)


def test_training_tells_its_epochs():
    heard = []
    TINY.train(heard.append)
    assert [stats.epoch for stats in heard] == [1, 2]


@pytest.mark.parametrize(
    ("method", "due"),
    [
        (Standard(), {"standard", "course"}),
        (PGDTraining(), {"pgd_training", "threat", "course"}),
        (FastTraining(), {"fast_training", "threat", "course"}),
    ],
)
def test_what_a_trainer_imports_counts(method, due, monkeypatch):
    """A change of any file that decides the weights makes another hash, and no other file does."""
    subject, seen = replace(TINY, trainer=method), set()
    before = subject.hash()

    def changed(path):
        seen.add(path)
        return "changed"

    with monkeypatch.context() as patched:
        patched.setattr("pellucid.claims.recipe.digest", changed)
        assert subject.hash() != before
    train = {path.stem for path in seen if path.parent.name == "train"}
    assert train - {"__init__", "trainer"} == due
    assert {"recipe", "fit", "small_cnn"} <= {path.stem for path in seen}
