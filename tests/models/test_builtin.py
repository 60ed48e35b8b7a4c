"""The network that comes with the package."""

import pytest
import torch
from safetensors import safe_open

from pellucid import data, fit
from pellucid.models import BUILTINS, builtin
from pellucid.models.builtin import WEIGHTS
from pellucid.naming import UnknownName


@pytest.mark.parametrize("name", BUILTINS)
def test_recorded_accuracy_is_true(name):
    module, facts = builtin(name)
    test = data.load(facts.data, "test")
    with safe_open(WEIGHTS / f"{name}.safetensors", "pt") as weights:
        recorded = float(weights.metadata()["accuracy"])
    assert fit.accuracy(module, test.x, test.y) == pytest.approx(recorded, abs=1 / len(test))
    assert recorded > 0.95


@pytest.mark.parametrize("name", BUILTINS)
def test_facts_are_those_of_the_data(name):
    module, facts = builtin(name)
    test = data.load(facts.data, "test")
    assert (facts.shape, facts.low, facts.high) == (test.shape, test.low, test.high)
    assert facts.classes == len(test.class_names) == module(test.x[:1]).shape[1]


@pytest.mark.parametrize("name", BUILTINS)
def test_small_and_ready(name):
    assert (WEIGHTS / f"{name}.safetensors").stat().st_size < 1_000_000
    assert not any(part.training for part in builtin(name)[0].modules())


def test_global_generator_is_left_as_found():
    before = torch.get_rng_state()
    builtin("digits-cnn")
    assert torch.equal(torch.get_rng_state(), before)


def test_unknown_name_gets_the_nearest():
    with pytest.raises(UnknownName, match="no builtin model called 'digit-cnn': did you mean dig"):
        builtin("digit-cnn")
