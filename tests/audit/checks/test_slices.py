"""Accuracy by slice: how rows are cut, what slices are called, and how looks are allowed for."""

import pytest
import torch
from tests.audit.checks.grounds import (
    after_accuracy,
    dataset,
    ground,
    image_box,
    images,
    number_box,
)

from pellucid.audit.checks._slices import slices
from pellucid.audit.checks.slices import Slices
from pellucid.data import Column
from pellucid.errors import UserError
from pellucid.spec import Image, Vector
from pellucid.statistics import clopper_pearson


def number(name="age", low=0.0, high=1.0):
    return Column(name=name, kind="number", low=low, high=high)


def kinds(*names):
    return Column(name="kind", kind="category", categories=names, low=0.0, high=len(names) - 1.0)


def cut(x, columns, fewest=1):
    data = dataset(x, torch.zeros(len(x), dtype=torch.long), columns=columns)
    return {
        s.name: s.members.nonzero()[0].tolist() for s in slices(data, Vector(shape=(1,)), fewest)
    }


def test_quarters_are_those_of_the_ranks():
    x = torch.tensor([0.7, 0.1, 0.2, 0.3, 0.9, 0.5, 0.4, 0.8])[:, None]
    assert cut(x, (number(),)) == {
        "age: lowest quarter (0.1 to 0.2)": [1, 2],
        "age: second quarter (0.3 to 0.4)": [3, 6],
        "age: third quarter (0.5 to 0.7)": [0, 5],
        "age: highest quarter (0.8 to 0.9)": [4, 7],
    }


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_equal_values_are_never_cut(share):
    x = (torch.arange(20) < 20 * share).float()[:, None]
    ones = list(range(int(20 * share)))
    assert cut(x, (number(),)) == {
        "age: 0": [i for i in range(20) if i not in ones],
        "age: 1": ones,
    }


def test_a_column_that_does_not_vary_is_no_slice():
    assert cut(torch.ones(20, 1), (number(),)) == {}


def test_categories_are_slices_if_they_have_rows_enough():
    x = torch.tensor([0.0] * 5 + [1.0] * 3 + [2.0])[:, None]
    assert cut(x, (kinds("red", "blue", "grey", "none"),), fewest=2) == {
        "kind: red": [0, 1, 2, 3, 4],
        "kind: blue": [5, 6, 7],
    }


def test_images_are_cut_by_brightness_and_by_contrast():
    flat = torch.linspace(0.1, 0.8, 8)[:, None, None, None].expand(8, 3, 2, 2).clone()
    wave = torch.tensor([-1.0, 1.0]).repeat(6).reshape(3, 2, 2)
    x = flat + wave * torch.linspace(0.08, 0.01, 8)[:, None, None, None]
    found = slices(dataset(x, torch.zeros(8, dtype=torch.long)), Image(shape=(3, 2, 2)), fewest=1)
    told = [(s.name, s.members.nonzero()[0].tolist()) for s in found]
    assert told[0] == ("brightness: darkest quarter (0.1 to 0.2)", [0, 1])
    assert told[3] == ("brightness: brightest quarter (0.7 to 0.8)", [6, 7])
    assert told[4] == ("contrast: lowest quarter (0.01 to 0.02)", [6, 7])
    assert told[7] == ("contrast: highest quarter (0.07 to 0.08)", [0, 1])


def bright(shape, n=400, low=0.0, high=1.0):
    """A model that is wrong on the brightest eighth of the rows."""
    level = torch.linspace(0.05, 0.9, n)[
        torch.randperm(n, generator=torch.Generator().manual_seed(3))
    ]
    noise = images(n, shape, seed=1)
    noise = noise - noise.flatten(1).mean(1)[:, None, None, None]
    x = low + (high - low) * (level[:, None, None, None] + 0.05 * noise)
    dazzled = low + (high - low) * float(level.sort().values[n - n // 8] - 1e-4)

    def says(z):
        return torch.stack([dazzled - z.flatten(1).mean(1), z.flatten(1).mean(1) - dazzled], 1)

    names = ("a", "b")
    data = dataset(x, torch.zeros(n, dtype=torch.long), names=names, low=low, high=high)
    return image_box(says, shape, 2, low, high), data


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32)])
def test_the_slice_in_which_the_mistakes_lie_is_found(shape):
    box, data = bright(shape)
    where = after_accuracy(box, data)
    assert Slices().refusal(where) is None
    finding = Slices()(where, 0).finding
    assert str(finding.figures["worst_slice"]).startswith("brightness: brightest quarter (")
    assert (finding.figures["right"], finding.figures["rows"]) == (50, 100)
    assert len(finding.figures["slices"]) == 8
    low, _ = clopper_pearson(50, 100, 1 - 0.05 / 8, tails=1)
    assert finding.figures["corrected"] == pytest.approx(float(low))
    assert finding.severity == "critical"  # 0.369
    assert box.module.rows == finding.cost.queries == 0
    assert finding == Slices()(where, 0).finding


def table(right, rows=400, columns=4):
    """A model that is wrong where the row's number is `right` or more."""
    x = torch.stack([torch.arange(rows).float() / (c + 1) for c in range(columns)], 1)
    box = number_box(
        lambda z: torch.stack([right - 0.5 - z[:, 0], z[:, 0] - right + 0.5], 1), d=columns
    )
    names = [number(f"column {c}") for c in range(columns)]
    y = torch.zeros(rows, dtype=torch.long)
    return box, dataset(x, y, names=("a", "b"), columns=tuple(names))


@pytest.mark.parametrize(
    ("right", "level"),
    [(400, "none"), (397, "low"), (388, "medium"), (380, "high"), (340, "critical")],
)
def test_the_corrected_bound_decides(right, level):
    finding = Slices()(after_accuracy(*table(right)), 0).finding
    assert finding.severity == level
    assert len(finding.figures["slices"]) == 16


def test_a_perfect_model_is_no_finding_however_many_slices_there_are():
    finding = Slices()(after_accuracy(*table(80, rows=80, columns=30)), 0).finding
    assert len(finding.figures["slices"]) == 120
    assert finding.severity == "none"


def test_rows_that_fall_into_no_slices_are_refused():
    box, data = table(100, rows=100)
    assert Slices().refusal(ground(box, data)) is None
    for bare in (dataset(data.x, data.y), dataset(data.x[:40], data.y[:40], columns=data.columns)):
        assert "no groups of at least 20 rows" in Slices().refusal(ground(box, bare))


def test_slices_of_no_rows_are_refused():
    with pytest.raises(UserError, match="at least one row, but fewest is 0"):
        Slices(fewest=0)
