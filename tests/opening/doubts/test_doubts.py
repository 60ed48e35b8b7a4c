"""Planted faults are named, each alone, with a remedy that works."""

from dataclasses import replace

import pytest
import torch
from tests.opening.doubts.scenes import (
    NAMES,
    SCALES,
    SHAPE,
    SIZE,
    dataset,
    flat_net,
    mended,
    names_of,
    net,
    opened,
    own,
    scaled,
    seen,
)
from tests.subjects import Formula
from torch import nn

from pellucid.opening import Facts
from pellucid.opening.doubts.doubt import updated
from pellucid.opening.fitting import fitted

ORDER = torch.tensor([3, 5, 0, 1, 4, 2, 7, 6])


@pytest.mark.parametrize(
    ("wanted", "declared"),
    [
        *((scale, "none") for scale in SCALES if scale != "none"),
        *((scale, "bytes") for scale in SCALES if scale != "bytes"),
        *((scale, "own") for scale in ("none", "half", "bytes", "caffe")),
    ],
)
def test_a_wrong_normalisation_is_named_and_mended(wanted, declared):
    model = scaled(net(wanted), declared)
    before = seen(model, own())
    assert names_of(before) == ["range" if wanted == "bytes" else "normalisation"]
    again = seen(model.with_facts(updated(model.facts, before.doubts[0].instead)), own())
    assert not again.doubts
    assert again.right == before.doubts[0].figures["after"]


@pytest.mark.parametrize("scale", SCALES)
def test_the_right_normalisation_is_not_doubted(scale):
    assert not seen(scaled(net(scale), scale), own()).doubts


@pytest.mark.parametrize("scale", ["none", "half"])
def test_rows_of_another_range_are_named_and_mended(scale):
    data = replace(own(), x=255 * own().x, low=0.0, high=255.0)
    model = scaled(net(scale), scale)
    before = seen(model, data)
    assert names_of(before) == ["range"]
    assert before.doubts[0].instead.bounds == (0.0, 255.0)
    model = model.with_facts(updated(model.facts, before.doubts[0].instead))
    assert not seen(model, data).doubts


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("channels", lambda x: x.flip(1)),
        ("transposed", lambda x: x.transpose(-1, -2)),
        ("inverted", lambda x: 1 - x),
        ("layout", lambda x: x.movedim(1, -1).reshape(-1, *SHAPE)),
        ("layout", lambda x: x.reshape(-1, SIZE, SIZE, 3).movedim(-1, 1)),
    ],
)
@pytest.mark.parametrize("scale", ["none", "imagenet"])
@pytest.mark.parametrize("access", ["scores", "labels"])
def test_rearranged_rows_are_named_and_mended(name, spoil, scale, access):
    model = scaled(net(scale), scale)
    if access == "labels":
        inner = net(scale)
        model = replace(
            model, model=Formula(lambda x: inner(x).argmax(-1)), outputs=1,
            facts=replace(model.facts, emits="label"),
        )  # fmt: skip
    data = replace(own(), x=spoil(own().x))
    before = seen(model, data)
    assert names_of(before) == [name]
    assert before.doubts[0].instead is None
    assert not seen(model, mended(before.doubts[0], data)).doubts


def test_a_wrong_layout_is_named_and_mended():
    inner = flat_net()
    model = opened(Formula(lambda x: inner(x if x.shape[1] == 3 else x.movedim(-1, 1))))
    turned = Formula(lambda x: inner(x.flatten(1).reshape(-1, SIZE, SIZE, 3).movedim(-1, 1)))
    assert not seen(model, own()).doubts
    before = seen(opened(turned), own())
    assert names_of(before) == ["layout"]
    assert before.doubts[0].instead == Facts(layout="hwc")
    assert not seen(opened(turned, layout="hwc"), own()).doubts


@pytest.mark.parametrize("by", [1, -1])
@pytest.mark.parametrize("names", [NAMES, tuple("01234567")])
def test_shifted_labels_are_named_and_mended(by, names):
    order = [(k + by) % 8 for k in range(8)]
    y = torch.tensor(order)[own().y]
    called = tuple(names[order.index(k)] for k in range(8)) if names is NAMES else names
    data = replace(own(), y=y, class_names=called)
    model = opened(net())
    before = seen(model, data)
    assert names_of(before) == ["labels-shifted"]
    if names is NAMES:
        assert before.doubts[0].instead == Facts(labels=NAMES)
        model = model.with_facts(updated(model.facts, before.doubts[0].instead))
        assert not seen(model, fitted(data, model)).doubts
    else:
        assert "class 0 is output" in before.doubts[0].sentence


def test_classes_numbered_from_one():
    examination = seen(opened(net()), replace(own(), y=own().y + 1))
    assert names_of(examination) == ["labels-shifted"]
    assert "subtract 1 from y" in examination.doubts[0].sentence


def test_a_background_class_before_the_others():
    inner = net()
    wider = Formula(lambda x: nn.functional.pad(inner(x), (1, 0), value=-30.0))
    examination = seen(opened(wider), own())
    assert names_of(examination) == ["labels-shifted"]
    assert "add 1 to y" in examination.doubts[0].sentence


@pytest.mark.parametrize("trials", [True, False])
def test_permuted_labels_are_named_and_mended(trials):
    called = tuple(NAMES[k] for k in ORDER.argsort())
    data = replace(own(), y=ORDER[own().y], class_names=called)
    model = opened(net())
    before = seen(model, data, trials=trials)
    assert names_of(before) == ["labels-permuted"]
    assert before.doubts[0].instead == Facts(labels=NAMES)
    model = model.with_facts(updated(model.facts, before.doubts[0].instead))
    assert not seen(model, fitted(data, model)).doubts


def test_two_swapped_classes_are_no_shift():
    grey = Formula(lambda x: torch.stack([x.mean((1, 2, 3)), 0.5 + 0 * x.mean((1, 2, 3))], 1))
    level = torch.rand(300, 1, 1, 1, generator=torch.Generator().manual_seed(0))
    x = level.expand(300, *SHAPE).contiguous()
    data = dataset(x, (level.flatten() > 0.5).long(), ("dark", "light"))
    examination = seen(opened(grey), data, trials=False)
    assert names_of(examination) == ["labels-permuted"]
    assert examination.doubts[0].instead == Facts(labels=("light", "dark"))


def test_probabilities_taken_for_logits():
    softmax = nn.Sequential(net(), nn.Softmax(-1))
    examination = seen(opened(softmax), own())
    assert names_of(examination) == ["probabilities"]
    assert examination.doubts[0].instead == Facts(emits="probabilities")
    assert "--emits probabilities" in examination.doubts[0].sentence
    assert not seen(opened(softmax, emits="probabilities"), own()).doubts


def test_logits_taken_for_probabilities():
    examination = seen(opened(net(), emits="probabilities"), own())
    assert names_of(examination) == ["logits"]
    assert examination.doubts[0].instead == Facts(emits="logits")


def test_log_probabilities_are_logits():
    assert not seen(opened(nn.Sequential(net(), nn.LogSoftmax(-1))), own()).doubts


def test_rounded_probabilities_are_probabilities():
    inner = net()
    rounded = Formula(lambda x: (256 * inner(x).softmax(-1)).round() / 256)
    assert "logits" not in names_of(seen(opened(rounded, emits="probabilities"), own()))


def test_two_faults_are_named_one_after_the_other():
    data = replace(own(), x=own().x.flip(1))
    model = opened(net("half"))
    examination = seen(model, data)
    assert names_of(examination) == ["normalisation", "channels"]
    assert "with that mended" in examination.doubts[1].sentence
    model = model.with_facts(updated(model.facts, examination.doubts[0].instead))
    assert not seen(model, mended(examination.doubts[1], data)).doubts


def test_rows_outside_the_bounds_are_told_beside_an_explanation_of_another_kind():
    data = replace(own(), x=255 * own().x.flip(1), low=0.0, high=255.0)
    assert names_of(seen(opened(net()), data)) == ["channels", "range"]


def test_a_fault_of_emits_hides_no_other():
    softmax = nn.Sequential(net("half"), nn.Softmax(-1))
    assert names_of(seen(opened(softmax), own())) == ["probabilities", "normalisation"]


def test_columns_that_were_not_standardised():
    rng = torch.Generator().manual_seed(0)
    y = torch.arange(300) % 3
    spread = torch.tensor([1000.0, 0.01, 5.0])
    x = spread * (2 * torch.eye(3)[y] + 0.2 * torch.randn(300, 3, generator=rng)) + 50
    data = dataset(x, y, ("a", "b", "c"), None, None)
    linear = Formula(lambda x: x @ torch.eye(3))
    mean, std = tuple(x.mean(0).tolist()), tuple(x.std(0).tolist())
    assert not seen(opened(linear, (3,), mean=mean, std=std), data).doubts
    before = seen(opened(linear, (3,)), data)
    assert names_of(before) == ["normalisation"]
    model = opened(linear, (3,))
    model = model.with_facts(updated(model.facts, before.doubts[0].instead))
    assert not seen(model, data).doubts
