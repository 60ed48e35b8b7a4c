"""Mining: it keeps the best of all that is asked, and its books are those of the model."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch
from tests.attack.linear_captions import CAPTIONS, D, linear

from pellucid.attack.evade.boundary import BoundaryAttack
from pellucid.attack.evade.master_print import MasterPrint
from pellucid.attack.evade.pgd import PGD
from pellucid.attack.master_prints import mine
from pellucid.ball import Ball
from pellucid.box.protocols import AccessDenied, ScoreBox
from pellucid.box.views import Direct, LabelView
from pellucid.errors import UserError
from pellucid.rng import Streams
from pellucid.shapes import Batch

PAIRS = torch.tensor([[0, 1], [2, 3], [4, 5]])
X = torch.full((3, D), 0.5, dtype=torch.float64)


ANYWHERE = Ball("linf")


@dataclass(frozen=True, kw_only=True)
class Guessing:
    """Asks about random points, five of each row at once."""

    ball: Ball = ANYWHERE

    def __call__(self, box: ScoreBox, rng: Streams) -> Iterator[Batch]:
        for _ in range(4):
            points = rng.uniform(5, (D,))
            box.scores(points)
            yield points[0]


def test_it_keeps_the_best_of_what_was_asked():
    box, weights = linear()
    prints = mine(Guessing(), box, X, PAIRS, seed=3)
    assert prints.queries.tolist() == [20] * 3
    assert prints.gradients.tolist() == [0] * 3
    scores = prints.images @ weights.T
    assert torch.allclose(prints.scores, scores)
    assert torch.allclose(prints.least, scores.gather(1, PAIRS).amin(1))
    rows = [mine(Guessing(), box, X[i : i + 1], PAIRS[i : i + 1], seed=3) for i in range(3)]
    assert torch.equal(torch.cat([row.images for row in rows]), prints.images)
    assert prints.least.min() > torch.rand(400, D).double().matmul(weights.T).amin(1).mean()


def test_nothing_ends_a_row_and_the_books_are_true():
    box, _ = linear()
    prints = mine(MasterPrint(steps=7), box, X, PAIRS)
    assert prints.queries.tolist() == prints.gradients.tolist() == [7] * 3
    assert box.rows == 21


def test_the_seed_and_the_captions_decide():
    box, _ = linear()
    same, again, other = (mine(MasterPrint(steps=5), box, X, PAIRS, seed=s) for s in (0, 0, 1))
    assert torch.equal(same.images, again.images)
    assert not torch.equal(same.images, other.images)
    assert not torch.equal(same.images[0], same.images[1])


@pytest.mark.parametrize(
    ("x", "captions", "words"),
    [
        (X, PAIRS + CAPTIONS, "numbered from 0 to 5"),
        (X + 1, PAIRS, "outside the bounds"),
        (X[:, :3], PAIRS, "vectors of shape"),
    ],
)
def test_what_does_not_fit_is_refused(x, captions, words):
    with pytest.raises(UserError, match=words):
        mine(PGD(), linear()[0], x, captions)


def test_a_method_that_wants_a_start_is_refused():
    with pytest.raises(UserError, match="wants start"):
        mine(BoundaryAttack(), linear()[0], X, PAIRS)


def test_a_poorer_box_is_refused():
    with pytest.raises(AccessDenied, match="needs a GradBox"):
        mine(PGD(), LabelView(Direct(linear()[0])), X, PAIRS)
