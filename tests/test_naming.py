"""What a user is told who misspells a name."""

from pellucid.errors import UserError
from pellucid.naming import UnknownName, unknown


def test_near_names_are_offered():
    error = unknown("fruit", "Aple", ["mango", "apple"])
    assert str(error) == "There is no fruit called 'Aple': did you mean apple?"
    assert isinstance(error, UserError)
    assert error.exit_code == 2


def test_all_names_are_given_where_none_is_near():
    error = unknown("fruit", "zzz", ["mango", "apple"])
    assert str(error) == "There is no fruit called 'zzz': choose one of apple, mango."


def test_the_caller_chooses_the_error():
    class UnknownFruit(UnknownName):
        pass

    assert isinstance(unknown("fruit", "zzz", [], UnknownFruit), UnknownFruit)
