"""The torch box: what it emits, how it prepares inputs, and that a row ignores its mates."""

import math
from dataclasses import replace

import pytest
import torch
from tests.subjects import Counting, Formula, identity_box, vector_box
from torch import nn

from pellucid.box.preprocessing import Preprocessing
from pellucid.box.torch_box import TorchBox, digest, evaluating
from pellucid.errors import UserError
from pellucid.models.small_cnn import SmallCNN
from pellucid.rows import Masked, Ragged
from pellucid.spec import (
    INVALID,
    BadQuestion,
    Image,
    LabelSet,
    OneClass,
    Points,
    Spec,
    Tokens,
    Values,
    Vector,
)

X = torch.tensor([[2.0, -1.0, 0.5], [0.0, 3.0, 1.0]])


@pytest.fixture(scope="module")
def cnn():
    """An untrained network of the class that attacks are measured on, and inputs."""
    torch.manual_seed(0)
    module = SmallCNN().eval()
    return module, torch.rand(100, 1, 28, 28, generator=torch.Generator().manual_seed(1))


def image_box(module, shape=(1, 28, 28), classes=10, **facts):
    return TorchBox(
        module=module, spec=Spec(input=Image(shape=shape), answer=OneClass(size=classes)), **facts
    )


# --- what it emits


def test_logits():
    box = identity_box(3)
    assert torch.equal(box.logits(X), X)
    assert box.labels(X).tolist() == [0, 1]
    torch.testing.assert_close(box.scores(X), X - X.exp().sum(1, keepdim=True).log())
    assert not box.scores(X.clone().requires_grad_()).requires_grad
    assert box.logits(X.clone().requires_grad_()).requires_grad


def test_probabilities():
    shares = X.softmax(-1)
    box = identity_box(3, emits="probabilities")
    torch.testing.assert_close(box.scores(shares), X.log_softmax(-1))
    torch.testing.assert_close(box.logits(shares), shares.log())
    assert box.labels(shares).tolist() == [0, 1]
    certain = box.scores(torch.tensor([[1.0, 0.0, 0.0]]))
    assert bool(certain.isfinite().all())
    assert certain.argmax() == 0


def test_probabilities_of_each_label():
    spec = Spec(input=Vector(shape=(3,)), answer=LabelSet(size=3))
    box = TorchBox(module=Formula(lambda x: x), spec=spec, emits="probabilities")
    torch.testing.assert_close(box.logits(X.sigmoid()), X)
    torch.testing.assert_close(box.scores(X.sigmoid()), nn.functional.logsigmoid(X))
    assert box.labels(X.sigmoid()).tolist() == [[1, 0, 1], [0, 1, 1]]


@pytest.mark.parametrize("column", [False, True])
@pytest.mark.parametrize("dtype", [torch.long, torch.float32])
def test_labels_alone(column, dtype):
    module = Formula(lambda x: x.argmax(-1, keepdim=column).to(dtype))
    box = vector_box(module, d=3, classes=3, emits="label")
    assert box.labels(X).tolist() == [0, 1]
    assert box.labels(X.expand(4, 2, 3)).shape == (4, 2)
    for ask in (box.logits, box.scores):
        with pytest.raises(UserError, match="labels alone"):
            ask(X)


def test_values():
    spec = Spec(input=Vector(shape=(3,)), answer=Values(size=3))
    box = TorchBox(module=Formula(lambda x: 2 * x), spec=spec, emits="values")
    assert torch.equal(box.scores(X), 2 * X)
    with pytest.raises(BadQuestion):
        box.labels(X)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_answers_that_are_not_finite_are_invalid(bad):
    x = torch.tensor([[0.0, bad, 1.0], [0.0, 1.0, 2.0]])
    assert identity_box(3).labels(x).tolist() == [INVALID, 2]
    one = vector_box(Formula(lambda x: x[:, 1]), d=3, classes=3, emits="label")
    assert one.labels(x).tolist() == [INVALID, 1]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (lambda x: (x, x), "a tuple"),
        (lambda x: {"logits": x}, "a dict"),
        (lambda x: x[:, :2], r"\(8, 2\) where a tensor of shape \(8, 3\)"),
        (lambda x: x[:5], r"\(5, 3\)"),
        (lambda x: x.sum(), r"\(\)"),
    ],
)
def test_other_answers_are_named(answer, text):
    with pytest.raises(UserError, match=text):
        vector_box(Formula(answer), d=3, classes=3, pad=8).labels(X)


def test_wrong_questions_are_named():
    with pytest.raises(BadQuestion, match=r"\(rows, 3\)"):
        identity_box(3).labels(torch.zeros(4, 5))


# --- how it prepares inputs


@pytest.mark.parametrize("layout", ["chw", "hwc"])
def test_preprocessing_by_hand(layout):
    x = torch.rand(4, 3, 2, 5, generator=torch.Generator().manual_seed(0))
    mean, std = (0.1, 0.2, 0.3), (0.5, 2.0, 4.0)
    got = Preprocessing(mean=mean, std=std, layout=layout)(x, (3, 2, 5))
    for c in range(3):
        channel = got[:, c] if layout == "chw" else got[..., c]
        torch.testing.assert_close(channel, (x[:, c] - mean[c]) / std[c])
    assert got.shape == ((4, 3, 2, 5) if layout == "chw" else (4, 2, 5, 3))


def test_the_module_sees_prepared_inputs():
    seen = []

    def look(x):
        seen.append(x)
        return x.flatten(1)[:, :2]

    box = image_box(
        Formula(look),
        shape=(3, 2, 2),
        classes=2,
        preprocessing=Preprocessing(mean=(0.5,), std=(0.25,), layout="hwc"),
    )
    x = torch.rand(8, 3, 2, 2)
    box.labels(x)
    torch.testing.assert_close(seen[0], (x.movedim(1, -1) - 0.5) / 0.25)


def test_gradients_are_in_the_user_s_units():
    box = replace(identity_box(2), preprocessing=Preprocessing(mean=(3.0,), std=(0.25,)))
    x = torch.ones(1, 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(box.logits(x)[:, 0].sum(), x)
    assert gradient.tolist() == [[4.0, 0.0]]


@pytest.mark.parametrize("fact", [{"mean": (0.0, 1.0)}, {"std": (1.0, 1.0)}])
def test_one_number_or_one_a_channel(fact):
    with pytest.raises(UserError, match=r"has 2 numbers, but the input has 3"):
        Preprocessing(**fact)(torch.zeros(1, 3, 2, 2), (3, 2, 2))


def test_deviations_are_positive():
    with pytest.raises(UserError, match="positive"):
        Preprocessing(std=(1.0, 0.0, 1.0))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_weights_decide_the_precision(dtype):
    box = vector_box(nn.Linear(3, 3, dtype=torch.float64), d=3, classes=3)
    x = X.to(dtype).requires_grad_()
    out = box.logits(x)
    assert out.dtype == torch.float64
    (gradient,) = torch.autograd.grad(out.sum(), x)
    assert gradient.dtype == dtype


# --- modes


class Moody(nn.Module):
    """Notes the modes that it was called in; stumbles over rows above 100."""

    def __init__(self):
        super().__init__()
        self.part, self.frozen = nn.Dropout(0.5), nn.BatchNorm1d(3)
        self.seen = []

    def forward(self, x):
        self.seen.append([part.training for part in self.modules()])
        if bool((x > 100).any()):
            raise ZeroDivisionError
        return self.frozen(self.part(x))


def test_modes_are_restored_part_by_part():
    module = Moody().train()
    module.frozen.eval()
    before = [part.training for part in module.modules()]
    weights = digest(module)
    box = vector_box(module, d=3, classes=3)
    for ask in (box.labels, box.scores, box.logits):
        assert torch.equal(ask(X), ask(X))
        with pytest.raises(ZeroDivisionError):
            ask(1000 * X)
        assert [part.training for part in module.modules()] == before
    assert not any(any(modes) for modes in module.seen)
    assert digest(module) == weights
    with evaluating(module):
        assert not module.training
    assert module.training


# --- padding and calls


@pytest.mark.parametrize("n", [1, 2, 3, 8, 13, 50, 99])
def test_a_row_ignores_its_mates(cnn, n):
    """The same bits alone, among others, and in another order."""
    module, x = cnn
    box = image_box(module)
    every = box.logits(x)
    assert torch.equal(box.logits(x[:n]), every[:n])
    order = torch.randperm(100, generator=torch.Generator().manual_seed(n))
    assert torch.equal(box.logits(x[order])[:n], every[order[:n]])
    assert torch.equal(box.logits(x[n : n + 1]), every[n : n + 1])


def test_gradients_ignore_mates(cnn):
    module, x = cnn
    box = image_box(module)

    def gradient(rows):
        rows = rows.clone().requires_grad_()
        return torch.autograd.grad(box.logits(rows)[:, 3].sum(), rows)[0]

    every = gradient(x)
    for n in (1, 3, 13):
        torch.testing.assert_close(gradient(x[:n]), every[:n], rtol=1e-4, atol=1e-7)


def test_padding_is_no_question():
    module = Counting(Formula(lambda x: x))
    box = vector_box(module, d=3, classes=3, pad=8)
    box.labels(X)
    box.labels(X.repeat(4, 1))
    box.labels(X.expand(5, 2, 3))
    assert (box.calls, box.rows, box.padding) == (3, 2 + 8 + 10, 6 + 0 + 6)
    assert (module.passes, module.rows) == (3, box.rows + box.padding)


def test_padding_can_be_off():
    module = Counting(Formula(lambda x: x))
    box = vector_box(module, d=3, classes=3, pad=1)
    box.labels(X)
    assert (module.rows, box.padding) == (2, 0)


def test_calls_carry_no_more_than_they_may():
    module = Counting(Formula(lambda x: x))
    box = vector_box(module, d=3, classes=3, pad=1, rows_per_call=4)
    x = torch.arange(33.0).reshape(11, 3)
    assert torch.equal(box.logits(x), x)
    assert (module.passes, box.calls) == (3, 3)
    probes = torch.arange(66.0).reshape(2, 11, 3)
    assert torch.equal(box.logits(probes), probes)
    assert (module.passes, module.rows) == (3 + 6, 33)


def test_a_large_call_goes_through_in_passes_that_fit_the_caches():
    """One call still, the same answers, and no row twice; logits in one pass, to be watched."""
    module = Counting(Formula(lambda x: x.flatten(1)[:, :10]))
    box = image_box(module, (2, 64, 64))
    x = torch.rand(70, 2, 64, 64)
    own = x.flatten(1)[:, :10]
    torch.testing.assert_close(box.scores(x), own.log_softmax(1))
    assert (module.rows, module.passes, box.calls) == (72, 5, 1)
    assert torch.equal(box.logits(x), own)
    assert (module.rows, module.passes, box.calls) == (144, 6, 2)


# --- the fingerprint


def test_fingerprint_is_of_all_that_decides_answers():
    def box(scale=1.0, **facts):
        module = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
        nn.init.constant_(module[0].weight, scale)
        nn.init.zeros_(module[0].bias)
        return vector_box(module, d=3, classes=3, **facts)

    shifted = box()
    shifted.module[1].running_mean += 1
    others = [
        box(2.0),
        shifted,
        box(emits="probabilities"),
        box(preprocessing=Preprocessing(mean=(0.5,))),
        box(low=0.0),
    ]
    assert box().fingerprint() == box().fingerprint()
    assert len({b.fingerprint() for b in [box(), *others]}) == 6
    used = box()
    used.labels(X)
    assert used.fingerprint() == box().fingerprint()


# --- rows of other forms


class DeepSets(nn.Module):
    """Sums a number over each set; logits (sum, -sum)."""

    def forward(self, values, lengths):
        sums = values.new_zeros(len(lengths))
        owner = torch.arange(len(lengths)).repeat_interleave(lengths)
        sums = sums.index_add(0, owner, values.sum(1))
        return torch.stack([sums, -sums], 1)


class Bag(nn.Module):
    """Counts tokens above 2 among those that the mask keeps; logits (count, 1/2)."""

    def forward(self, tokens, mask):
        count = ((tokens > 2) & mask.bool()).sum(1).float()
        return torch.stack([count, torch.full_like(count, 0.5)], 1)


def test_sets_are_answered():
    spec = Spec(input=Points(features=2), answer=OneClass(size=2), rows_per_call=3)
    box = TorchBox(module=DeepSets(), spec=spec)
    sets = [[[1.0, 1.0]], [], [[-3.0, 1.0], [1.0, 0.5]], [[2.0, -5.0]]]
    values = torch.tensor([item for items in sets for item in items])
    rows = Ragged(values, torch.tensor([len(items) for items in sets]))
    sums = [sum(map(sum, items)) for items in sets]
    assert box.logits(rows)[:, 0].tolist() == sums
    assert box.labels(rows).tolist() == [int(total < 0) for total in sums]
    probes = Ragged(values.repeat(2, 1), rows.lengths.repeat(2, 1))
    assert box.labels(probes).tolist() == [box.labels(rows).tolist()] * 2
    picked = torch.tensor([3, 1])
    assert torch.equal(box.logits(rows[picked]), box.logits(rows)[picked])


def test_texts_are_answered():
    spec = Spec(input=Tokens(vocabulary=9), answer=OneClass(size=2), rows_per_call=2)
    box = TorchBox(module=Bag(), spec=spec)
    tokens = torch.tensor([[1, 5, 7], [1, 2, 7], [8, 0, 0]])
    mask = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 0]])
    rows = Masked(tokens, mask)
    assert box.logits(rows)[:, 0].tolist() == [2.0, 0.0, 1.0]
    assert box.labels(rows).tolist() == [0, 1, 0]
    probes = Masked(tokens.expand(4, 3, 3), mask.expand(4, 3, 3))
    assert box.labels(probes).tolist() == [[0, 1, 0]] * 4
