"""An attack on a stream, on linear models where each loss is known in closed form."""

import pytest
import torch
from tests.attack.evade.planes import affine, draws

from pellucid.attack.evade.fgsm import FGSM
from pellucid.attack.evade.hop_skip_jump import HopSkipJump
from pellucid.attack.online.online_attack import OnlineAttack
from pellucid.attack.online.picking import pick
from pellucid.attack.online.virtual_plus import VirtualPlus
from pellucid.ball import Ball
from pellucid.errors import UserError

D, ITEMS, RADIUS = 6, 60, 0.2


def model(seed):
    w = draws(D, seed=seed)
    box = affine(torch.stack([0 * w, w]), torch.zeros(2, dtype=torch.float64))
    return w, box


def stream(size):
    x, y = draws(ITEMS, D, seed=9), torch.arange(ITEMS) % 2
    return list(zip(x.split(size), y.split(size), strict=True))


def attacked(w, x, y):
    """Where FGSM leads on a plane, and the cross-entropy there on another one."""
    side = torch.where(y == 1, -1, 1)[:, None]
    return x + RADIUS * side * w.sign()


def loss(w, z, y):
    return torch.nn.functional.softplus(torch.where(y == 1, -1, 1) * (z @ w))


METHOD = OnlineAttack(attack=FGSM(ball=Ball("linf", RADIUS)), picks=5)


@pytest.mark.parametrize("size", [1, 7, ITEMS])
def test_what_is_sent_is_attacked_where_it_was_picked_by_its_loss(size):
    w, box = model(1)
    sent = list(METHOD.run(box, stream(size), items=ITEMS))
    x, y = (torch.cat(part) for part in zip(*stream(size), strict=True))
    z = attacked(w, x, y)
    due = pick(VirtualPlus(), loss(w, z, y)[None], 5, exhaust=True)[0]
    value, picked = torch.cat([s.value for s in sent]), torch.cat([s.picked for s in sent])
    torch.testing.assert_close(value, loss(w, z, y))
    assert torch.equal(picked, due)
    assert int(picked.sum()) == 5
    expected = torch.where(due[:, None], z, x)
    torch.testing.assert_close(torch.cat([s.x for s in sent]), expected)


def test_a_judge_decides_by_its_own_loss():
    (w, box), (v, judge) = model(1), model(2)
    (sent,) = METHOD.run(box, stream(ITEMS), items=ITEMS, judge=judge)
    ((x, y),) = stream(ITEMS)
    torch.testing.assert_close(sent.value, loss(v, attacked(w, x, y), y))


def test_nothing_is_sent_on_before_it_was_decided_and_nothing_later_is_looked_at():
    _, box = model(1)
    taken = []

    def arriving():
        for number, part in enumerate(stream(4)):
            taken.append(number)
            yield part

    for number, sent in enumerate(METHOD.run(box, arriving(), items=ITEMS)):
        assert taken[-1] == number
        assert len(sent.x) == 4


def test_the_books_hold_the_attack_and_one_question_an_item():
    _, box = model(1)
    (sent,) = METHOD.run(box, stream(ITEMS), items=ITEMS)
    assert (sent.cost.queries, sent.cost.gradients, sent.cost.calls) == (2 * ITEMS, ITEMS, 2)


def test_an_attack_that_needs_a_start_is_refused():
    with pytest.raises(UserError, match="choose another attack for a stream"):
        OnlineAttack(attack=HopSkipJump())


def test_a_longer_stream_and_labels_out_of_range_are_refused():
    _, box = model(1)
    with pytest.raises(UserError, match="said to have 59 items"):
        list(METHOD.run(box, stream(ITEMS), items=ITEMS - 1))
    x, y = stream(ITEMS)[0]
    with pytest.raises(UserError, match="the model's classes run from 0 to 1"):
        list(METHOD.run(box, [(x, y + 5)], items=ITEMS))
