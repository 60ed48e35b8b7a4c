"""The contract of attacks: what each must keep, whatever it does.

A plug-in author runs it over instances that are quick, a few hundred queries a row at most:

    @pytest.mark.parametrize("check", ATTACK_CHECKS, ids=lambda check: check.__name__)
    def test_contract(check):
        check(MyAttack(steps=3))

A check raises AssertionError with a sentence that says what is wrong.
"""

from dataclasses import fields

from pellucid.ball import Ball
from pellucid.methods import Configuration
from pellucid.needs import Attack, needs
from pellucid.testing._books import BOOK_CHECKS
from pellucid.testing._conduct import CONDUCT_CHECKS
from pellucid.testing._rows import ROW_CHECKS
from pellucid.testing.driving import blaming
from pellucid.testing.values import VALUE_CHECKS


def check_has_a_ball(method: Configuration) -> None:
    """The field `ball` says where success counts."""
    name = type(method).__name__
    values = {f.name: getattr(method, f.name) for f in fields(method)}
    assert isinstance(values.get("ball"), Ball), f"{name} has no field `ball` that is a Ball."


def check_signature(method: Attack) -> None:
    """Its call names parts that the runner supplies, and one kind of box."""
    with blaming(method, "when its signature is read"):
        needs(method)


ATTACK_CHECKS = (
    *VALUE_CHECKS,
    check_has_a_ball,
    check_signature,
    *ROW_CHECKS,
    *BOOK_CHECKS,
    *CONDUCT_CHECKS,
)
