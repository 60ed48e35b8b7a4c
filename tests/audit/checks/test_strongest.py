"""The check by the strongest attack, on a model whose margins are known."""

from dataclasses import replace

import pytest
import torch
from tests.audit.linear import L2, RADII, linear, robust, write_rows

from pellucid.audit.check import Ground
from pellucid.audit.checks.accuracy import Accuracy
from pellucid.audit.checks.strongest import Strongest
from pellucid.audit.checks.trapped import Trapped
from pellucid.audit.finding import rows_of
from pellucid.audit.report.words import title
from pellucid.audit.severity import Limits
from pellucid.box.views import Direct, LabelView, ScoreView
from pellucid.data import find


@pytest.fixture
def ground(tmp_path):
    return Ground(box=linear(pad=1), data=find(write_rows(tmp_path / "rows.npz")), limits=Limits())


@pytest.mark.slow
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_it_finds_what_the_margins_say(ground, norm):
    check = Strongest(norm=norm, radii=(RADII if norm == "linf" else L2)[1:], queries=2200)
    found = check(ground, 10**7).finding
    lines = rows_of(found, "by_epsilon")
    assert [line["robust"] for line in lines] == [robust(norm, line["epsilon"]) for line in lines]
    assert found.figures["attacks"] == "PMA, APGDTargeted, FABTargeted, Square"
    assert (found.system, found.access) == ("strongest", "gradient")
    assert title(found.check).startswith("Strongest attack known here, L")
    assert found.cost.queries == ground.box.module.rows


@pytest.mark.parametrize(
    ("view", "access", "attack"), [(ScoreView, "score", "Square"), (LabelView, "label", "CGBA")]
)
def test_it_makes_do_with_what_is_shown(ground, view, access, attack):
    poorer = replace(ground, box=view(Direct(ground.box)))
    check = Strongest(norm="l2", radii=L2, queries=60)
    found = check(poorer, check.price(poorer).most).finding
    assert (found.access, found.figures["attacks"]) == (access, attack)


def test_a_saturated_softmax_turns_it_to_logits(ground):
    check = Strongest(radii=RADII)
    assert check.attack(ground, 0.1, 150).space == "probabilities"
    with torch.no_grad():
        for weight in ground.box.module.parameters():
            weight.mul_(1e4)
    known = {"clean.accuracy": Accuracy()(ground, 1000)}
    seen = Trapped()(replace(ground, earlier=known), 1000)
    assert "saturated softmax" in [line["trap"] for line in rows_of(seen.finding, "traps")]
    warned = replace(ground, earlier={"falsify.traps": seen})
    assert check.attack(warned, 0.1, 150).space == "logits"
