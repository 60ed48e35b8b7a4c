"""Smoothing against the closed form of a half-space, and what missing answers do."""

import numpy as np
import pytest
import torch
from scipy import stats
from tests.subjects import Counting, Formula, vector_box

from pellucid.errors import UserError
from pellucid.rng import Streams, ids_of
from pellucid.spec import NO_ANSWER
from pellucid.verify.smoothing import ABSTAINS, Smoothing


def half_space():
    """Class 1 where the first number is above 0."""
    module = Counting(Formula(lambda x: torch.stack([-x[:, 0], x[:, 0]], 1)))
    return vector_box(module, pad=1), module


def streams(x, seed=0):
    return Streams(seed, ids_of(x), x)


X = torch.tensor([[0.5, 0.0], [-0.2, 1.0], [0.0, 3.0], [0.1, -1.0]])


def test_the_radius_is_the_distance_to_the_plane_from_below():
    box, module = half_space()
    method = Smoothing(sigma=0.5, estimating=20_000)
    found = method.certify(box, X, streams(X))
    assert found.labels.tolist() == [1, 0, ABSTAINS, 1]
    assert module.rows == 4 * (100 + 20_000)
    distance = X[:, 0].abs()
    certain = found.labels != ABSTAINS
    assert bool((found.radius <= distance).all())
    assert bool((found.radius[certain] > distance[certain] - 0.04).all())
    assert found.radius[2] == 0


def test_the_bound_is_that_of_the_binomial_test():
    box, _ = half_space()
    method = Smoothing(sigma=1.0, selecting=10, estimating=50, alpha=0.01, at_a_time=7)
    found = method.certify(box, X, streams(X))
    again = streams(X)
    drawn = [again.normal(k, (2,)) for k in (7, 3, *[7] * 7, 1)]
    votes = torch.cat([(X + noise)[..., 0] > 0 for noise in drawn])
    chosen = votes[:10].sum(0) > 5
    hits = (votes[10:] == chosen).sum(0)
    low = [
        stats.binomtest(int(k), 50, alternative="greater").proportion_ci(0.99, "exact").low
        for k in hits
    ]
    np.testing.assert_allclose(found.chance, low, rtol=1e-6)
    radius = np.where(np.array(low) > 0.5, stats.norm.ppf(low), 0)
    np.testing.assert_allclose(found.radius, radius, rtol=1e-5, atol=1e-7)
    assert found.labels.tolist() == [
        int(c) if r > 0 else ABSTAINS for c, r in zip(chosen, radius, strict=True)
    ]


def test_a_wrong_certificate_is_as_rare_as_alpha():
    # At distance 0.1 a certificate is wrong if its radius is above it.
    box, _ = half_space()
    x = torch.tensor([[0.1, 0.0]]).expand(2000, 2)
    rng = Streams(0, [str(i) for i in range(2000)], x)
    found = Smoothing(sigma=0.5, selecting=20, estimating=200, alpha=0.1).certify(box, x, rng)
    right = found.labels == 1
    wrong = (right & (found.radius > 0.1)).sum() + (found.labels == 0).sum()
    assert wrong / 2000 <= 0.1 + 3 * (0.1 * 0.9 / 2000) ** 0.5
    assert wrong > 100  # and the bound is not idle


def test_rows_are_certified_each_by_itself_and_in_blocks_of_any_size():
    box, _ = half_space()
    method = Smoothing(estimating=500)
    together = method.certify(box, X, streams(X))
    for row in range(4):
        alone = method.certify(box, X[row : row + 1], streams(X[row : row + 1]))
        assert alone.radius[0] == together.radius[row]
        assert alone.labels[0] == together.labels[row]


class Silent:
    """A box that stops answering."""

    def __init__(self, box, after):
        self.box, self.spec, self.left = box, box.spec, after

    def __getitem__(self, rows):
        return self

    def labels(self, x):
        said = self.box.labels(x)
        answered = torch.arange(len(said)) < self.left
        self.left -= len(said)
        return torch.where(answered[:, None], said, NO_ANSWER)


def test_what_is_not_answered_counts_against_the_class():
    method = Smoothing(selecting=100, estimating=1000, at_a_time=100)
    x = torch.tensor([[5.0, 0.0]])
    half, none = (
        method.certify(Silent(half_space()[0], after), x, streams(x)) for after in (900, 0)
    )
    due = stats.binomtest(800, 1000, alternative="greater").proportion_ci(0.999, "exact").low
    assert half.chance.item() == pytest.approx(due, rel=1e-6)
    assert half.labels.item() == 1
    assert none.labels.item() == ABSTAINS
    assert none.radius.item() == 0


@pytest.mark.parametrize("field", [{"sigma": 0.0}, {"alpha": 1.0}, {"estimating": 0}])
def test_numbers_that_certify_nothing_are_refused(field):
    with pytest.raises(UserError, match="Smoothing needs"):
        Smoothing(**field)
