"""LIME: the ridge regression that scikit-learn would fit, and what it recovers."""

import pytest
import torch
from tests.explain.perturb.games import columns, image_box, value_box

from pellucid.explain import explain
from pellucid.explain.perturb._regression import ridge
from pellucid.explain.perturb.lime import LIME
from pellucid.explain.superpixels import Superpixels


def test_a_linear_model_is_recovered_without_a_penalty():
    weights = torch.linspace(-1, 2, 10).double()
    x = torch.randn(3, 10, generator=torch.Generator().manual_seed(0)).double()
    box = value_box(lambda z: z.to(weights) @ weights, 10)
    said = explain(LIME(samples=100, ridge=0.0, baseline=0.5), box, x, columns(3))
    torch.testing.assert_close(said.values, weights * (x - 0.5), atol=1e-8, rtol=1e-6)
    assert said.queries.tolist() == [100] * 3
    assert said.agreement.min() > 1 - 1e-6
    assert said.gap is None


def test_the_penalty_shrinks_a_little():
    weights = torch.ones(10).double()
    box, x = value_box(lambda z: z.to(weights) @ weights, 10), torch.ones(1, 10).double()
    said = explain(LIME(), box, x, columns(1)).values
    assert ((said > 0.95) & (said < 1)).all()


@pytest.mark.parametrize("penalty", [0.0, 1.0, 30.0])
def test_the_fit_is_the_one_of_scikit_learn(penalty):
    linear_model = pytest.importorskip("sklearn.linear_model")
    draw = torch.Generator().manual_seed(0)
    z = torch.rand(80, 6, generator=draw) < 0.5
    y, w = torch.randn(2, 80, generator=draw).double()
    model = linear_model.Ridge(alpha=penalty)
    model.fit(z.double().numpy(), y.numpy(), sample_weight=w.abs().numpy())
    torch.testing.assert_close(ridge(z, y, w.abs(), penalty), torch.tensor(model.coef_))


def test_near_samples_count_most():
    """The function is linear near the row, and another when half of it is hidden."""

    def function(z):
        return torch.where(z.sum(1) > 9.5, 3 * z[:, 0] - z.sum(1), 100 * z[:, 1])

    box, x = value_box(function, 12), torch.ones(1, 12)
    wide, narrow = (
        explain(LIME(samples=4000, width=width), box, x, columns(1)).values[0]
        for width in (10.0, 0.02)
    )
    assert wide.argmax() == 1
    assert narrow.argmax() == 0


def test_parts_of_an_image_are_hidden_by_their_own_mean():
    """The mean of a part does not change when it is hidden, so that it is worth nothing."""
    box = image_box(lambda z: z.sum((1, 2, 3)), (1, 8, 8))
    contrast = image_box(lambda z: z.var((1, 2, 3)), (1, 8, 8))
    x = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0)).double()
    method = LIME(samples=50, superpixels=Superpixels(about=4))
    assert explain(method, box, x, columns(2)).values.abs().max() < 1e-9
    assert explain(method, contrast, x, columns(2)).values.min() > 0


def test_two_halves_disagree_where_there_is_nothing_to_find():
    def noise(z):
        return ((z.double() * 1e4).sum(1) * 12.9898).sin()

    x = torch.rand(4, 20, generator=torch.Generator().manual_seed(0))
    said = explain(LIME(samples=100), value_box(noise, 20), x, columns(4))
    assert said.agreement.abs().max() < 0.7
