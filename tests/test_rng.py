"""Streams: a row draws the same bits whoever is with it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.rng import Streams, ids_of

DRAWS = ["normal", "uniform"]
LIKE = torch.zeros(())
IDS = [f"row {i}" for i in range(7)]


def draw(kind, ids, k=2, shape=(3, 5), seed=0, like=LIKE):
    return getattr(Streams(seed, ids, like), kind)(k, shape)


@pytest.mark.parametrize("kind", DRAWS)
@settings(max_examples=40, deadline=None)
@given(order=st.lists(st.integers(0, 6), min_size=1, max_size=7, unique=True))
def test_a_row_draws_the_same_alone_in_company_and_permuted(kind, order):
    every = draw(kind, IDS)
    assert every.shape == (2, 7, 3, 5)
    assert torch.equal(draw(kind, [IDS[i] for i in order]), every[:, order])


@pytest.mark.parametrize("kind", DRAWS)
@pytest.mark.parametrize("shape", [(), (1,), (40,), (2, 3, 4)])
def test_shapes(kind, shape):
    assert draw(kind, IDS, k=3, shape=shape).shape == (3, 7, *shape)


@pytest.mark.parametrize("kind", DRAWS)
def test_an_index_or_mask_shares_the_streams(kind):
    """Rows that sit a draw out do not move on; the others do as if they were alone."""
    whole = Streams(0, IDS, LIKE)
    some = torch.tensor([4, 1])
    first = getattr(whole[some], kind)(1, (5,))
    mask = torch.tensor([True, True] + [False] * 5)
    second = getattr(whole[mask], kind)(1, (5,))
    lone = Streams(0, IDS, LIKE)
    expected = [getattr(lone[torch.tensor([i])], kind)(1, (5,)) for i in (4, 1, 0, 1)]
    assert torch.equal(torch.cat([first, second], 1), torch.cat(expected, 1))
    assert not torch.equal(first[0, 1], second[0, 1])
    assert len(whole[mask]) == 2


@pytest.mark.parametrize("kind", DRAWS)
def test_double_precision_sees_the_same_numbers(kind):
    single, double = (draw(kind, IDS, like=LIKE.to(t)) for t in (torch.float32, torch.float64))
    assert double.dtype == torch.float64
    assert torch.equal(single.double(), double)


@pytest.mark.parametrize("kind", DRAWS)
def test_the_default_dtype_does_not_matter(kind):
    before = draw(kind, IDS)
    torch.set_default_dtype(torch.float64)
    try:
        after = draw(kind, IDS)
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(before, after)


def test_laws():
    normal, uniform = (draw(kind, IDS, k=100, shape=(100,)).double() for kind in DRAWS)
    assert abs(float(normal.mean())) < 0.02
    assert abs(float(normal.var()) - 1) < 0.03
    assert float(uniform.min()) >= 0
    assert float(uniform.max()) < 1
    assert abs(float(uniform.mean()) - 0.5) < 0.01
    assert abs(float(uniform.var()) - 1 / 12) < 0.003


@pytest.mark.parametrize("kind", DRAWS)
def test_seeds_and_ids_matter(kind):
    base = draw(kind, IDS)
    for other in (draw(kind, IDS, seed=1), draw(kind, IDS, seed=-1), draw(kind, IDS, seed=2**40)):
        assert not (base == other).flatten(2).all(-1).any()
    rows = base.transpose(0, 1).flatten(1)
    assert len(rows.unique(dim=0)) == 7
    assert torch.equal(*draw(kind, ["same", "same"]).unbind(1))


def test_global_generator_is_left_alone():
    before = torch.random.get_rng_state()
    for kind in DRAWS:
        draw(kind, IDS)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_ids_are_content():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]])
    ids = ids_of(x)
    assert ids[0] == ids[2] != ids[1]
    assert ids_of(x[1:2]) == ids[1:2]
