"""Accuracy under corruptions: known flips, exact costs, and what small budgets leave out."""

import pytest
import torch
from tests.audit.checks.grounds import (
    after_accuracy,
    dataset,
    ground,
    image_box,
    images,
    number_box,
    only,
)

from pellucid.audit.checks.corruptions import Corruptions
from pellucid.box.protocols import LabelBox, ScoreBox
from pellucid.data.corruptions import CORRUPTIONS
from pellucid.errors import UserError

KINDS = [kind.name for kind in CORRUPTIONS]
ALL = 10**9


def brighter_than(limit):
    """The nearest of two flat prototypes that lie as far below the limit and above it."""
    return lambda z: torch.stack([limit - z.flatten(1).mean(1), z.flatten(1).mean(1) - limit], 1)


def flat(levels, shape=(1, 8, 8), low=0.0, high=1.0, **facts):
    """Flat images of which a model says whether they are brighter than 0.4, and is right."""
    x = torch.tensor(levels)[:, None, None, None].expand(-1, *shape).clone()
    box = image_box(brighter_than(low + 0.4 * (high - low)), shape, 2, low, high, **facts)
    y = (x.flatten(1).mean(1) > 0.4).long()
    return box, dataset(low + (high - low) * x, y, names=("dark", "light"), low=low, high=high)


def found(box, data, budget=ALL, check=None, **facts):
    return (check or Corruptions())(ground(box, data, **facts), budget)


def accuracies(finding):
    lines = finding.figures["corruptions"]
    return {(line["corruption"], line["strength"]): line["accuracy"] for line in lines}


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)])
def test_rows_flip_where_the_brightness_passes_the_boundary(low, high):
    levels = [0.02, 0.12, 0.22, 0.32, 0.36] * 20 + [0.9] * 100
    finding = found(*flat(levels, low=low, high=high)).finding
    right = accuracies(finding)
    # + 0.05, + 0.15 and + 0.3, of which 0.4 is the limit; 100 rows are light already
    assert right["brightness", 1] == (80 + 100) / 200
    assert right["brightness", 3] == (60 + 100) / 200
    assert right["brightness", 5] == (20 + 100) / 200
    assert right["blur", 5] == right["contrast", 5] == right["shift", 5] == 1.0
    # strength 5 is worse, and told, but no usual one
    assert finding.figures["worst_corruption"] == "brightness at strength 3"
    assert finding.severity == "low"  # 160 of 200: 0.738 is the lower bound
    assert finding.access == "label"


def test_a_perfect_model_is_no_finding():
    finding = found(*flat([0.03] * 30 + [0.95] * 30)).finding
    assert {*accuracies(finding).values()} == {1.0}
    assert finding.severity == "none"


@pytest.mark.parametrize(
    ("right", "level"), [(100, "none"), (85, "low"), (75, "medium"), (50, "high"), (20, "critical")]
)
def test_the_worst_lower_bound_decides(right, level):
    """Brightness at strength 5 turns 0.36 into light, and nothing else does."""
    rows = flat([0.03] * right + [0.2] * (100 - right))
    finding = found(*rows, check=Corruptions(usual=5)).finding
    assert finding.figures["right"] == right
    assert finding.severity == level


@pytest.mark.parametrize("rows_per_call", [1000, 8])
@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32)])
def test_it_costs_one_question_a_row_corruption_and_strength(shape, rows_per_call):
    x = images(20, shape)
    box = image_box(brighter_than(0.5), shape, 2, rows_per_call=rows_per_call)
    where = ground(box, dataset(x, torch.arange(20) % 2))
    price = Corruptions().price(where)
    assert (price.least, price.most) == (20 * 6, 20 * 6 * 3)
    finding = Corruptions()(where, price.most).finding
    assert finding.cost.queries == box.module.rows == price.most
    assert finding.cost.calls == box.module.passes == 18 * -(-20 // rows_per_call)
    assert finding.cost.gradients == 0
    assert len(finding.figures["corruptions"]) == 18
    assert "budget" not in finding.text


@pytest.mark.parametrize(
    ("budget", "strengths", "rows", "said"),
    [
        (40 * 18, [1, 3, 5], 40, ""),
        (40 * 18 - 1, [1, 5], 40, "did not reach to strength 3."),
        (40 * 12, [1, 5], 40, "did not reach to strength 3."),
        (40 * 12 - 1, [5], 40, "did not reach to strength 1 and 3."),
        (40 * 6, [5], 40, "did not reach to strength 1 and 3."),
        (40 * 6 - 1, [5], 39, "reached 39 of 40 rows."),
        (20 * 6, [5], 20, "reached 20 of 40 rows."),
    ],
)
def test_a_small_budget_costs_strengths_before_rows(budget, strengths, rows, said):
    box, data = flat([0.01 * i for i in range(40)])
    finding = found(box, data, budget).finding
    lines = finding.figures["corruptions"]
    assert sorted({line["strength"] for line in lines}) == strengths
    assert {line["rows"] for line in lines} == {rows}
    assert finding.cost.queries == box.module.rows <= budget
    assert said in finding.text
    assert ("budget" in finding.text) == bool(said)


def test_a_plan_of_one_strength_can_lose_rows_alone():
    box, data = flat([0.1] * 40)
    text = found(box, data, 25 * 6, Corruptions(strengths=(2,))).finding.text
    assert "The budget reached 25 of 40 rows" in text


def test_it_is_deterministic_and_asks_for_labels_alone():
    box = image_box(brighter_than(0.5), (1, 8, 8), 2)
    data = dataset(images(30, (1, 8, 8)), torch.arange(30) % 2)
    bare = only(box, LabelBox)
    assert not isinstance(bare, ScoreBox)
    one, two = found(bare, data, seed=3), found(box, data, seed=3)
    assert one.finding == two.finding
    assert (one.arrays["example"] == two.arrays["example"]).all()
    other = found(box, data, seed=4)
    assert not (one.arrays["example"] == other.arrays["example"]).all()


def test_progress_rises_to_the_end():
    told = []
    found(*flat([0.1] * 20), progress=told.append)
    assert [one.share for one in told] == sorted(one.share for one in told)
    assert told[-1].share == 1
    assert told[-1].title == "shift at strength 5"


def test_a_row_is_corrupted_alike_in_other_company():
    asked = []

    def says(z):
        asked.append(z.clone())
        return torch.stack([z.flatten(1).mean(1), 0.5 - z.flatten(1).mean(1)], 1)

    x = images(30, (3, 32, 32))
    for part in (x, x[[7, 3]]):
        found(image_box(says, (3, 32, 32), 2), dataset(part, torch.zeros(len(part)).long()))
    both = zip(asked[:18], asked[18:], strict=True)
    assert all(torch.equal(whole[[7, 3]], part) for whole, part in both)


def test_examples_are_the_first_row_as_it_is_and_under_each_corruption():
    box, data = flat([0.2] * 30, shape=(3, 16, 16))
    assert found(box, data).finding.figures["examples"][0]["said"] is None
    done = Corruptions()(after_accuracy(box, data), ALL)
    lines = done.finding.figures["examples"]
    assert done.finding.figures["true"] == lines[0]["said"] == "dark"
    assert [line["corruption"] for line in lines] == ["none", *KINDS]
    assert {line["strength"] for line in lines[1:]} == {5}
    pictures = torch.from_numpy(done.arrays["example"])
    assert pictures.shape == (7, 3, 16, 16)
    assert torch.equal(pictures[0], data.x[0])
    assert pictures[1 + KINDS.index("brightness")].mean() == pytest.approx(0.5)
    assert lines[1 + KINDS.index("brightness")]["said"] == "light"
    assert lines[1 + KINDS.index("blur")]["said"] == "dark"


def test_images_of_other_channels_go_without_jpeg_and_that_is_said():
    box, data = flat([0.1] * 30, shape=(4, 8, 8))
    assert Corruptions().price(ground(box, data)).most == 30 * 5 * 3
    finding = found(box, data).finding
    assert {kind for kind, _ in accuracies(finding)} == {*KINDS} - {"jpeg"}
    assert "Images of 4 channels have no jpeg" in finding.text


def test_what_is_no_image_is_refused():
    vectors = number_box(lambda x: torch.cat([x, -x], 1))
    data = dataset(torch.zeros(30, 1), torch.arange(30) % 2)
    assert Corruptions().refusal(ground(vectors, data)) == "its inputs are no images"
    box, data = flat([0.1] * 30, high=float("inf"))
    assert Corruptions().refusal(ground(box, data)) == "the bounds of its images are not known"
    assert Corruptions().refusal(ground(*flat([0.1] * 30))) is None


@pytest.mark.parametrize("strengths", [(), (0, 1), (5, 3), (3, 3), (6,)])
def test_strengths_that_there_are_not_are_refused(strengths):
    with pytest.raises(UserError, match="some of 1 to 5, rising"):
        Corruptions(strengths=strengths)


def test_shares_of_no_rows_are_refused():
    with pytest.raises(UserError, match="at least one row, but fewest is 0"):
        Corruptions(fewest=0)
