"""Good use is not doubted; what is asked is counted, and what cannot be is said."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest
from tests.opening.doubts import scenes
from tests.opening.doubts.scenes import (
    SHAPE,
    names_of,
    net,
    opened,
    own,
    scaled,
    seen,
    weak_nets,
)
from tests.subjects import Counting

from pellucid import data as sets
from pellucid.claims.subjects import recipe
from pellucid.errors import UserError
from pellucid.models.small_cnn import SmallCNN
from pellucid.opening import understand
from pellucid.opening.doubts import doubts


@pytest.mark.parametrize("epochs", range(1, 6))
@pytest.mark.parametrize("seed", range(4))
def test_a_model_that_is_used_well_is_not_doubted(seed, epochs):
    scale, modules = weak_nets(seed)
    examination = seen(scaled(modules[epochs - 1], scale), own())
    assert set(names_of(examination)) <= {"chance", "one-class"}
    assert not (examination.doubts and examination.accuracy > 0.4)


def test_the_builtin_model_is_not_doubted():
    assert not seen(understand("builtin:digits-cnn"), sets.load("digits", "test")).doubts


@pytest.mark.parametrize("name", ["digits-cnn", "digits-cnn-hardened", "fashion-cnn"])
def test_subjects_are_not_doubted(name):
    subject = recipe(name)
    if not subject.folder().is_dir():
        pytest.skip(f"{name} has not been trained here")
    try:
        rows = sets.load(subject.data, "test")
    except UserError as error:
        pytest.skip(str(error))
    assert not seen(opened(subject.build(), rows.shape), rows).doubts


@pytest.mark.parametrize("seed", range(20))
def test_an_untrained_network_is_doubted_for_nothing_else(seed):
    digits = sets.load("digits", "test")
    model = scenes.made(lambda: SmallCNN((1, 8, 8), 10), seed)
    found = names_of(seen(opened(model, (1, 8, 8)), digits))
    assert set(found) <= {"chance", "one-class"}


def test_what_is_asked_is_counted():
    module = Counting(net())
    model = opened(module)
    for data in (own(), replace(own(), x=own().x.flip(1)), replace(own(), x=255 * own().x)):
        before = module.rows
        examination = seen(model, data)
        assert module.rows - before - examination.asked in range(4 * 60)  # padding of calls


def test_a_good_model_is_asked_once_and_a_few_rows_twice():
    assert seen(opened(net()), own()).asked == 200 + 20
    assert seen(opened(net()), own(), trials=False).asked == 200
    assert seen(opened(net()), own(), rows=50, trials=False).asked == 50


def test_accuracy_and_interval():
    examination = seen(opened(net(), bounds=(0.0, 1.0)), own(), rows=400)
    right = int((net()(own().x).argmax(-1) == own().y).sum())
    assert (examination.rows, examination.right) == (400, right)
    exact = binomtest(right, 400).proportion_ci(0.95, "exact")
    assert (examination.low, examination.high) == pytest.approx((exact.low, exact.high))


def test_sorted_rows_show_all_classes():
    order = own().y.argsort()
    data = replace(own(), x=own().x[order], y=own().y[order])
    assert seen(opened(net()), data, rows=100).chance < 0.3


def test_few_rows_show_nothing():
    wrong = replace(own(), x=own().x[:10].flip(1), y=own().y[:10])
    assert not seen(opened(net()), wrong).doubts


class Down(UserError):
    exit_code = 3


class Answering:
    """An answerer that fails as told, when told."""

    def __init__(self, error, fails):
        self.error, self.fails, self.calls, self.failures = error, fails, 0, 0

    def __call__(self, x):
        self.calls += 1
        if self.fails(self.calls, x.shape[1:]):
            self.failures += 1
            raise self.error
        return 3 * np.eye(8, dtype=np.float32)[np.zeros(len(x), int)]

    def fingerprint(self):
        return None


def test_a_server_that_goes_down_is_no_trial_that_fails():
    model = Answering(Down("It is down."), lambda calls, _: calls > 1)
    with pytest.raises(Down):
        doubts(replace(opened(net()), model=model), own())


@pytest.mark.parametrize("error", [UserError("Not so."), RuntimeError()])
def test_rows_that_a_model_refuses_are_left_and_not_counted(error):
    model = Answering(error, lambda _, shape: shape != SHAPE)
    examination = doubts(replace(opened(net()), model=model), own())
    assert model.failures == 1
    assert names_of(examination) == ["one-class"]
    assert (examination.asked - 200 - 20) % 50 == 0


@pytest.mark.parametrize(
    ("facts", "how", "text"),
    [({"emits": "values"}, {}, "raw values"), ({}, {"rows": 0}, "must be rows")],
)
def test_what_cannot_be_examined(facts, how, text):
    with pytest.raises(UserError, match=text):
        doubts(opened(net(), **facts), own(), **how)
