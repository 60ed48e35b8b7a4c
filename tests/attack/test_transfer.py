"""The transfer matrix against runs on each victim."""

import pytest
import torch
from tests.attack.evade.surrogate_nets import boxes, nets, rows

import pellucid
from pellucid.attack.evade.adaea import AdaEA
from pellucid.attack.evade.ensemble_mi_fgsm import EnsembleMIFGSM
from pellucid.attack.evade.mi_fgsm import MIFGSM
from pellucid.attack.transfer import craft, transfer_matrix
from pellucid.ball import Ball
from pellucid.errors import UserError

METHOD = EnsembleMIFGSM(ball=Ball("linf", 0.8), steps=5, step=0.3, noise=0.05)


@pytest.fixture
def ground():
    modules = nets(6)
    x, y = rows(modules, count=140)  # more than are made at once
    return boxes(modules), x, y


def test_it_says_what_runs_on_each_victim_say(ground):
    (first, second, third, *others), x, y = ground
    groups = {"first": [first], "both": [first, second]}
    victims = {"third": third, "fourth": others[0]}
    goal = pellucid.misled(y)
    found = transfer_matrix(METHOD, groups, victims, x, goal=goal, seed=7)
    assert (found.surrogates, found.victims) == (("first", "both"), ("third", "fourth"))
    for i, group in enumerate(groups.values()):
        for j, victim in enumerate(victims.values()):
            due = pellucid.run(METHOD, victim, x, goal=goal, seed=7, surrogates=group)
            assert torch.equal(found.met[j], ~due.attacked)
            rows = due.attacked
            assert torch.equal(found.won[i, j][rows], due.success[rows])
            share = due.summary()["success_rate"]
            assert float(found.rates[i, j]) == pytest.approx(share)
    assert float(found.rates.min()) > 0


def test_what_was_asked_is_counted(ground):
    (first, second, *_), x, y = ground
    made = craft(AdaEA(steps=2), [first, second], x, goal=pellucid.misled(y))
    assert made.points.shape == x.shape
    assert made.queries.tolist() == [[2 * 3] * len(x)] * 2
    assert made.gradients.tolist() == [[2 * 2] * len(x)] * 2


def test_of_no_row_there_is_no_rate(ground):
    (first, second, *_), x, _ = ground
    other = (second.labels(x) + 1) % 4
    goal = pellucid.misled(other)
    found = transfer_matrix(METHOD, {"first": [first]}, {"second": second}, x, goal=goal)
    assert found.met.all()
    assert found.rates.isnan().all()


def test_what_cannot_be_is_refused(ground):
    (first, second, *_), x, y = ground
    goal = pellucid.misled(y)
    with pytest.raises(UserError, match="MIFGSM is not made on surrogates alone"):
        craft(MIFGSM(), [first], x, goal=goal)
    with pytest.raises(UserError, match="has 1 rows, but the input has 140"):
        craft(METHOD, [first], x, goal=goal[torch.arange(1)])
    with pytest.raises(UserError, match="but the input is"):
        craft(METHOD, [first], x[:, :1], goal=goal)
    with pytest.raises(UserError, match="needs surrogates"):
        craft(METHOD, [], x, goal=goal)
    for groups, victims in (({}, {"second": second}), ({"first": [first]}, {})):
        with pytest.raises(UserError, match="a group of surrogates and a victim"):
            transfer_matrix(METHOD, groups, victims, x, goal=goal)
