"""A view has what its name says, and nothing more."""

import pytest
import torch
from tests.subjects import identity_box

from pellucid.box.protocols import LADDER, GradBox, LabelBox, NoBox, ScoreBox, WhiteBox
from pellucid.box.views import VIEWS, Direct, LabelView, fingerprint
from pellucid.box.window import Window
from pellucid.errors import UserError
from pellucid.ledger import Ledger

SHOWS = {
    NoBox: (),
    LabelBox: ("labels",),
    ScoreBox: ("labels", "scores"),
    GradBox: ("labels", "scores", "logits"),
    WhiteBox: ("labels", "scores", "logits", "module"),
}


@pytest.mark.parametrize("protocol", LADDER)
def test_faces(protocol):
    view = VIEWS[protocol](Direct(identity_box()))
    for name in ("labels", "scores", "logits", "module"):
        if name in SHOWS[protocol]:
            assert getattr(view, name) is not None
        else:
            with pytest.raises(AttributeError):
                getattr(view, name)
    picked = view[torch.tensor([0])]
    assert type(picked) is type(view)
    assert repr(view).startswith(protocol.__name__)


def test_answers_are_the_box_s():
    box, x = identity_box(), torch.tensor([[1.0, 3.0], [2.0, -1.0]])
    view = VIEWS[WhiteBox](Direct(box))
    assert torch.equal(view.labels(x), box.labels(x))
    assert torch.equal(view.scores(x), box.scores(x))
    assert torch.equal(view.logits(x), x)
    assert view.module is box.module
    assert view.spec is box.spec
    assert view.fingerprint() == fingerprint(box) == box.fingerprint()


def test_outside_a_run_any_number_of_rows_is_asked():
    view = LabelView(Direct(identity_box()))
    for n in (1, 3):
        assert view[torch.tensor([0])].labels(torch.ones(n, 2)).shape == (n,)


@pytest.mark.parametrize(
    ("rows", "picked"),
    [
        (torch.tensor([2, 0]), [2, 0]),
        (torch.tensor([False, True, True]), [1, 2]),
        (torch.tensor([-1]), [2]),
    ],
)
def test_rows_of_rows(rows, picked):
    """Indexing by row narrows what the last index left."""
    ledger = Ledger(9)
    view = LabelView(Window(identity_box(), ledger), torch.tensor([4, 6, 8]))
    view[rows].labels(torch.ones(len(picked), 2))
    expected = torch.zeros(9, dtype=torch.long)
    expected[torch.tensor([4, 6, 8])[torch.tensor(picked)]] = 1
    assert torch.equal(ledger.queries, expected)
    view[rows][torch.tensor([0])].labels(torch.ones(1, 2))
    assert int(ledger.queries.sum()) == len(picked) + 1


def test_a_question_about_other_rows_is_refused():
    view = LabelView(Window(identity_box(), Ledger(3)), torch.arange(3))
    for wrong in (torch.ones(2, 2), torch.ones(3, 2, 2)):
        with pytest.raises(UserError, match="3 rows"):
            view.labels(wrong)
