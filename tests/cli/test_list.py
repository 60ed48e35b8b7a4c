"""`pellucid list`."""

import json

from typer.testing import CliRunner

from pellucid.cli.main import app
from pellucid.systems import SYSTEMS, Row


def listed(*arguments):
    result = CliRunner().invoke(app, ["list", *arguments])
    assert result.exit_code == 0
    return result.stdout


def test_the_json_is_the_table_and_makes_the_rows_again():
    assert tuple(Row(**row) for row in json.loads(listed("--json"))) == SYSTEMS


def test_every_row_is_a_line_in_reading_order():
    assert [line.split()[0] for line in listed().splitlines()[1:]] == [r.slug for r in SYSTEMS]


def test_a_kind_that_nothing_has_yet_lists_nothing():
    assert json.loads(listed("--kind", "attack", "--json"))
    assert json.loads(listed("--kind", "reparam", "--json")) == []


def test_a_kind_that_does_not_exist_is_answered_with_those_that_do():
    result = CliRunner().invoke(app, ["list", "--kind", "atack"])
    assert result.exit_code == 2
    assert "'atack' is not one of 'attack', 'explainer'" in result.stderr


def test_a_room_shows_what_is_in_it_and_how_its_claims_stand():
    every = listed("--room", "attack")
    assert "explainer" not in every
    assert json.loads(listed("--room", "attack/evade", "--json"))
    stands = {line.split()[0]: line for line in every.splitlines()}
    assert stands["pgd"].rstrip().endswith("holds")
    assert stands["cgba"].rstrip().endswith("does not hold")
    assert "hold" not in stands["fgsm"]


def test_an_empty_room_is_answered_with_those_that_are_not():
    result = CliRunner().invoke(app, ["list", "--room", "attik"])
    assert result.exit_code == 2
    assert "known are attack, attack/evade, attack/online, explain" in result.stderr
