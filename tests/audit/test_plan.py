"""Plans from TOML."""

import pytest

from pellucid.audit.check import STAGES, stage_of
from pellucid.audit.checks.falsify import Falsify
from pellucid.audit.plan import BUILTIN, plan
from pellucid.errors import UserError


@pytest.mark.parametrize("name", BUILTIN)
def test_the_builtin_plans_can_be_read_and_stand_in_the_order_of_their_stages(name):
    read = plan(name)
    stages = [STAGES.index(stage_of(check.name)) for check in read.checks]
    assert stages == sorted(stages)
    assert read.checks[0].name == "clean.accuracy"
    unions = [check.name.startswith("falsify.worst") for check in read.checks]
    falsifying = [u for u, s in zip(unions, stages, strict=True) if STAGES[s] == "falsify"]
    assert falsifying == sorted(falsifying)


def test_a_plan_of_one_s_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        "rows = 7\n[limits]\nrobust_accuracy = 0.75\n[limits.accuracy]\nlow = 0.9\nmedium = 0.8\n"
        'high = 0.7\ncritical = 0.6\n[[check]]\nkind = "falsify"\nsystem = "pgd"\nnorm = "l2"\n'
        "radii = [0.5, 1]\nsettings = { steps = 3 }\n"
    )
    read = plan(str(path))
    assert (read.name, read.rows) == ("mine.toml", 7)
    assert read.limits.robust_accuracy == 0.75
    assert read.limits.accuracy.low == 0.9
    (check,) = read.checks
    assert check == Falsify(system="pgd", norm="l2", radii=(0.5, 1.0), settings={"steps": 3})
    assert check.method(0.5).steps == 3


CHECK = '[[check]]\nkind = "clean.accuracy"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rows = ", "is no TOML"),
        ("rows = 0\n" + CHECK, "at least one row"),
        ("rows = 5\n", "at least one .*check"),
        ("colour = 1\n" + CHECK, "has 'colour'"),
        ("[limits]\nspeed = 1\n" + CHECK, "no field of Limits called 'speed'"),
        ("[limits]\nrobust_accuracy = 'half'\n" + CHECK, "takes a number"),
        ("[[check]]\nsystem = 'pgd'\n", "needs a kind"),
        ("[[check]]\nkind = 'falsifi'\n", "did you mean falsify"),
        ("[[check]]\nkind = 'falsify'\nsystem = 'pgdd'\n", "did you mean"),
        ("[[check]]\nkind = 'falsify'\nsystem = 'lime'\n", "of kind explainer"),
        ("[[check]]\nkind = 'falsify'\nsystem = 'pgd'\nradii = [2, 1]\n", "rise"),
        (
            "[[check]]\nkind = 'falsify'\nsystem = 'pgd'\nsettings = {stepz = 1}\n",
            "did you mean step or steps",
        ),
        ("[[check]]\nkind = 'falsify'\nsystem = 'pgd'\nqueries = 0\n", "raise its queries"),
        (CHECK + CHECK, "holds clean.accuracy twice"),
    ],
)
def test_a_plan_that_cannot_be_followed_is_said(tmp_path, text, said):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=said):
        plan(str(path))


def test_a_plan_that_is_not_there():
    with pytest.raises(UserError, match="cannot be read"):
        plan("none.toml")
    with pytest.raises(UserError, match="did you mean standard"):
        plan("standart")
