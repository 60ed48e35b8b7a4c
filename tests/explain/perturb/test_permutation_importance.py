"""Permutation importance: the covariance formula of a linear model, and its mean over rows."""

import pytest
import torch
from tests.explain.perturb.games import columns, image_box, value_box
from tests.subjects import Formula

from pellucid.box.torch_box import TorchBox
from pellucid.errors import UserError
from pellucid.explain import explain, label
from pellucid.explain.perturb.permutation_importance import PermutationImportance
from pellucid.explain.superpixels import Superpixels
from pellucid.spec import OneClass, Spec, Vector


def test_a_linear_model_loses_its_term_less_the_mean_of_the_datas():
    weights = torch.tensor([1.0, -2.0, 0.0]).double()
    data = torch.tensor([[1.0, 3.0, 5.0], [3.0, -1.0, 2.0]]).double()
    x = torch.tensor([[4.0, 1.0, 7.0]]).double()
    box = value_box(lambda z: z.to(weights) @ weights, 3)
    said = explain(PermutationImportance(repeats=4000), box, x, columns(1), data=(data, None))
    due = weights * (x - data.mean(0))
    torch.testing.assert_close(said.values, due, atol=0.1, rtol=0)
    assert said.values[0, 2] == 0
    assert said.queries.tolist() == [12001]


def test_one_donor_is_switched_in_part_by_part():
    box = image_box(lambda z: (z[:, 0, 0] * z[:, 0, 3]).sum(1), (1, 4, 4))
    x = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(0)).double()
    donor = torch.rand(1, 1, 4, 4, generator=torch.Generator().manual_seed(1)).double()
    method = PermutationImportance(repeats=2, superpixels=Superpixels(about=4))
    said = explain(method, box, x, columns(2), data=(donor, None))
    for rows in (slice(0, 2), slice(2, 4)):
        for cols in (slice(0, 2), slice(2, 4)):
            z = x.clone()
            z[..., rows, cols] = donor[..., rows, cols]
            due = (x[:, 0, 0] * x[:, 0, 3] - z[:, 0, 0] * z[:, 0, 3]).sum(1)
            torch.testing.assert_close(said.values[..., rows, cols].sum((1, 2, 3)), due)
    torch.testing.assert_close(said.agreement, torch.ones(2).double())


def test_the_mean_over_rows_is_the_rise_of_the_cross_entropy():
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(60, 3, generator=draw).double()
    y = (x[:, 0] + 0.3 * x[:, 1] > 0).long()
    weights = torch.tensor([2.0, 0.7, 0.0]).double()
    spec = Spec(input=Vector(shape=(3,)), answer=OneClass(size=2))

    def logits(z):
        margin = z.to(weights) @ weights
        return torch.stack([torch.zeros_like(margin), margin], -1)

    def loss(z, y):
        return torch.nn.functional.cross_entropy(logits(z), y)

    box = TorchBox(module=Formula(logits), spec=spec)
    said = explain(PermutationImportance(repeats=400), box, x, label(y), data=(x, y))
    every = torch.arange(60)
    for part in range(3):
        switched = x.repeat_interleave(60, 0)
        switched[:, part] = x[every.repeat(60), part]
        due = loss(switched, y.repeat_interleave(60)) - loss(x, y)
        assert float(said.values[:, part].mean()) == pytest.approx(float(due), abs=0.03)
    assert float(said.values[:, 2].abs().max()) == 0


def test_data_is_wanted_and_must_fit():
    box, x = value_box(lambda z: z.sum(1), 3), torch.zeros(1, 3)
    with pytest.raises(UserError, match=r"needs rows to compare with"):
        explain(PermutationImportance(), box, x, columns(1))
    with pytest.raises(UserError, match=r"at least one row\.$"):
        explain(PermutationImportance(), box, x, columns(1), data=(x[:0], None))
    with pytest.raises(UserError, match=r"takes vectors of shape"):
        explain(PermutationImportance(), box, x, columns(1), data=(torch.zeros(2, 4), None))
