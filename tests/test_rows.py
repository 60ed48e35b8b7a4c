"""Rows of every form against plain lists."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.rows import Masked, Ragged, chunks, concat, flat, row_bytes
from pellucid.spec import Points, Tokens, Vector

SETS = st.lists(
    st.lists(st.lists(st.integers(-9, 9), min_size=2, max_size=2), max_size=4),
    min_size=1,
    max_size=6,
)
TEXTS = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=5), min_size=1, max_size=6)


def ragged(sets):
    items = [item for items in sets for item in items]
    values = torch.tensor(items, dtype=torch.float32).reshape(-1, 2)
    return Ragged(values, torch.tensor([len(items) for items in sets]))


def masked(texts):
    width = max(map(len, texts))
    tokens = torch.tensor([text + [0] * (width - len(text)) for text in texts])
    lengths = torch.tensor([len(text) for text in texts])
    return Masked(tokens, torch.arange(width) < lengths[:, None])


def lists(rows):
    """Rows as plain lists again."""
    if isinstance(rows, Ragged):
        return [items.int().tolist() for items in rows.values.split(rows.lengths.tolist())]
    if isinstance(rows, Masked):
        return [t[m].tolist() for t, m in zip(rows.tokens, rows.mask, strict=True)]
    return rows.int().tolist()


def forms(make):
    return {"ragged": (SETS, ragged), "masked": (TEXTS, masked)}[make]


@pytest.mark.parametrize("make", ["ragged", "masked"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_rows_index_join_and_split_as_lists_do(make, data):
    strategy, build = forms(make)
    plain = data.draw(strategy)
    rows = build(plain)
    index = data.draw(st.lists(st.integers(0, len(plain) - 1), max_size=8))
    mask = data.draw(st.lists(st.booleans(), min_size=len(plain), max_size=len(plain)))
    assert len(rows) == len(plain)
    assert lists(rows[torch.tensor(index, dtype=torch.long)]) == [plain[i] for i in index]
    chosen = [row for row, taken in zip(plain, mask, strict=True) if taken]
    assert lists(rows[torch.tensor(mask)]) == chosen
    other = data.draw(strategy)
    assert lists(concat(rows, build(other), build(plain))) == plain + other + plain
    size = data.draw(st.integers(1, 7))
    assert [lists(part) for part in chunks(rows, size)] == [
        plain[first : first + size] for first in range(0, len(plain), size)
    ]


@pytest.mark.parametrize("make", ["ragged", "masked"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_rows_hash_alike_when_they_are_alike_and_only_then(make, data):
    strategy, build = forms(make)
    plain = data.draw(strategy) + data.draw(strategy)
    content = list(row_bytes(build(plain)))
    for i, one in enumerate(plain):
        for j, other in enumerate(plain):
            assert (content[i] == content[j]) == (one == other)


def test_dense_rows_join_split_and_hash():
    x = torch.arange(12.0).reshape(6, 2)
    assert torch.equal(concat(x[:2], x[2:5], x[5:]), x)
    assert [part.tolist() for part in chunks(x, 4)] == [x[:4].tolist(), x[4:].tolist()]
    assert list(row_bytes(x)) == [row.numpy().tobytes() for row in x]
    assert list(row_bytes(x.requires_grad_())) == [row.detach().numpy().tobytes() for row in x]


def test_no_rows_have_no_content():
    assert list(row_bytes(torch.zeros(0, 2))) == []


def test_a_longer_padding_is_the_same_row():
    """What a row is called must not depend on its longest batch mate."""
    alone, wide = masked([[1, 2]]), concat(masked([[1, 2]]), masked([[3] * 5]))
    assert next(row_bytes(alone)) == next(row_bytes(wide))


def test_where_a_mask_stands_is_part_of_the_row():
    tokens = torch.tensor([[5, 0, 6], [5, 6, 0]])
    mask = torch.tensor([[True, False, True], [True, True, False]])
    first, second = row_bytes(Masked(tokens, mask))
    assert first != second


def test_probe_axes_merge_into_rows():
    probes = torch.arange(24.0).reshape(2, 3, 4)
    assert Vector(shape=(4,)).lead(probes) == (2, 3)
    assert torch.equal(flat(probes, 1), probes.reshape(6, 4))
    assert torch.equal(flat(probes[0], 0), probes[0])
    sets = Ragged(torch.arange(10.0)[:, None], torch.tensor([[1, 2], [3, 4]]))
    assert Points(features=1).lead(sets) == (2, 2)
    ends = [(0, 1), (1, 3), (3, 6), (6, 10)]
    assert lists(flat(sets, 1)) == [[[i] for i in range(*end)] for end in ends]
    text = Masked(torch.arange(12).reshape(2, 3, 2), torch.ones(2, 3, 2).bool())
    assert Tokens(vocabulary=12).lead(text) == (2, 3)
    assert lists(flat(text, 1)) == torch.arange(12).reshape(6, 2).tolist()
