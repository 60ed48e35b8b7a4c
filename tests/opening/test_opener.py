"""Opening: a few facts make a box, and what does not fit is said in a sentence."""

import math

import pytest
import torch
from tests.subjects import Counting, Formula
from torch import nn

import pellucid
from pellucid.box.protocols import GRANTS, AccessDenied, LabelBox, granted
from pellucid.errors import UserError
from pellucid.models.small_cnn import SmallCNN
from pellucid.opening import PROBES
from pellucid.spec import Image, OneClass, Values, Vector


def linear(outputs=3):
    torch.manual_seed(0)
    return nn.Linear(2, outputs)


def softmax():
    return nn.Sequential(linear(), nn.Softmax(-1))


def top():
    return Formula(lambda x: x.argmax(-1))


def speechless(x):
    """Fails without a word."""
    if len(x):
        raise ValueError
    return x


@pytest.mark.parametrize("access", GRANTS)
def test_no_more_is_granted_than_asked(access):
    box = pellucid.open(linear(), access=access, shape=(2,))
    assert granted(box) is GRANTS[access]


def test_opening_asks_once():
    module = Counting(linear())
    pellucid.open(module, shape=(2,))
    assert (module.passes, module.rows) == (1, PROBES)


def test_opening_leaves_the_generator_and_the_modes():
    module = nn.Sequential(nn.Dropout(0.5), linear()).train()
    module[1].eval()
    state = torch.random.get_rng_state()
    pellucid.open(module, shape=(2,))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert [part.training for part in module.modules()] == [True, True, False]


def test_builtin():
    box = pellucid.open("builtin:digits-cnn", access="score")
    assert box.spec.input == Image(shape=(1, 8, 8), low=0.0, high=1.0)
    assert box.spec.answer == OneClass(size=10)
    assert box.scores(torch.zeros(3, 1, 8, 8)).shape == (3, 10)


@pytest.mark.parametrize("reference", ["builtin:", "builtin", "resnet", "builtin:digits-cn"])
def test_unknown_references_are_named(reference):
    with pytest.raises(UserError, match="digits-cnn"):
        pellucid.open(reference)


def test_shape_and_bounds():
    image = pellucid.open(SmallCNN((1, 8, 8)), shape=(1, 8, 8)).spec
    assert image.input == Image(shape=(1, 8, 8), low=0.0, high=1.0)
    vector = pellucid.open(linear(), shape=[2]).spec
    assert vector.input == Vector(shape=(2,), low=-math.inf, high=math.inf)
    bounded = pellucid.open(linear(), shape=(2,), bounds=(-1.0, 2.0)).spec
    assert bounded.input == Vector(shape=(2,), low=-1.0, high=2.0)


def test_preprocessing_reaches_the_model():
    box = pellucid.open(
        Formula(lambda x: x.flatten(1)), shape=(3, 1, 1), mean=(1.0, 2.0, 3.0), std=(2.0,),
        layout="hwc", emits="logits", access="gradient",
    )  # fmt: skip
    got = box.logits(torch.tensor([3.0, 2.0, 1.0]).reshape(1, 3, 1, 1))
    assert got.tolist() == [[1.0, 0.0, -1.0]]


def test_probabilities_are_seen():
    box = pellucid.open(softmax(), shape=(2,))
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(box.scores(x), linear()(x).log_softmax(-1))


def test_logits_are_seen():
    box = pellucid.open(linear(), shape=(2,))
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(box.logits(x), linear()(x))


def test_outputs_between_are_not_guessed():
    unsure = nn.Sequential(linear(), nn.Sigmoid())
    with pytest.raises(UserError, match="say which"):
        pellucid.open(unsure, shape=(2,))
    assert granted(pellucid.open(unsure, shape=(2,), emits="logits")) is GRANTS["white"]


def test_labels_are_seen():
    box = pellucid.open(top(), shape=(2,), access="label")
    assert granted(box) is LabelBox
    assert box.labels(torch.tensor([[0.0, 1.0], [2.0, 1.0]])).tolist() == [1, 0]
    with pytest.raises(AccessDenied, match="labels alone"):
        pellucid.open(top(), shape=(2,), access="score")


def test_numbers_that_are_no_labels_are_not_taken_for_labels():
    """A squeezed regressor, or a classifier with one logit."""
    one = Formula(lambda x: x.sum(-1))
    with pytest.raises(UserError, match="emits"):
        pellucid.open(one, shape=(2,), access="label")


def test_values():
    box = pellucid.open(linear(1), shape=(2,), emits="values", access="score")
    assert box.spec.answer == Values(size=1)
    x = torch.zeros(4, 2)
    torch.testing.assert_close(box.scores(x), linear(1)(x))


def test_values_without_an_axis():
    """Either they are answered, or opening says why not; not the first question."""
    one = Formula(lambda x: x.sum(-1))
    try:
        box = pellucid.open(one, shape=(2,), emits="values", access="score")
    except UserError:
        return
    assert box.scores(torch.ones(3, 2)).flatten().tolist() == [2.0] * 3


@pytest.mark.parametrize(
    ("module", "facts", "text"),
    [
        (linear(), {}, "shape .* not known"),
        (linear(), {"shape": (3,)}, "cannot take rows of shape"),
        (linear(), {"shape": (0,)}, "positive sizes"),
        (linear(), {"shape": ()}, "positive sizes|not known"),
        (linear(), {"shape": (2,), "bounds": (1.0, 0.0)}, "bounds must rise"),
        (linear(), {"shape": (2,), "std": (0.0,)}, "positive"),
        (linear(), {"shape": (2,), "std": ()}, "numbers|number"),
        (linear(), {"shape": (2,), "mean": (0.0, 1.0, 2.0)}, "mean has 3 numbers"),
        (linear(), {"shape": (2,), "rows_per_call": 0}, "at least one row"),
        (linear(1), {"shape": (2,)}, "one number a row"),
        (linear(), {"shape": (2,), "emits": "label", "access": "label"}, "label|one number"),
        (Formula(lambda x: (x, x)), {"shape": (2,)}, "a tuple"),
        (Formula(lambda x: x[:3]), {"shape": (2,)}, r"\(3, 2\)"),
        (Formula(lambda x: x[:, None]), {"shape": (2,)}, r"\(8, 1, 2\)"),
        (Formula(lambda x: x.nope), {"shape": (2,)}, "cannot take rows|nope"),
        (Formula(speechless), {"shape": (2,)}, "cannot take rows"),
        (Formula(lambda x: {}[len(x)]), {"shape": (2,)}, "cannot take rows"),
    ],
)  # fmt: skip
def test_facts_that_do_not_fit(module, facts, text):
    with pytest.raises(UserError, match=text) as caught:
        pellucid.open(module, **facts)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
