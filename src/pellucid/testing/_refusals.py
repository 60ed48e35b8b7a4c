"""What every kind of method must refuse, in one sentence and before anything is paid."""

import math
from collections.abc import Callable
from functools import partial

from torch import Tensor

from pellucid.box.protocols import LADDER, AccessDenied, NoBox
from pellucid.box.views import VIEWS, Direct
from pellucid.errors import UserError
from pellucid.testing.subjects import Subject

Ask = Callable[[NoBox, Tensor, Tensor], object]  # put rows x and their labels y to a box


def refuses_poorer_boxes(name: str, on: Subject, wanted: type, ask: Ask) -> None:
    """A box that grants less than the signature names is refused in a sentence naming both."""
    for poorer in LADDER[: LADDER.index(wanted)]:
        box = VIEWS[poorer](Direct(on.box))
        call = partial(ask, box, on.x, on.y)
        said = _refusal(name, f"a {poorer.__name__}", AccessDenied, call)
        for word in (wanted.__name__, poorer.__name__):
            assert word in said, f"{name} refuses a {poorer.__name__} without naming {word}: {said}"


def refuses_bad_input(name: str, on: Subject, ask: Ask) -> None:
    """Bad rows and bad labels are refused in one sentence before anything is paid."""
    spoilt, outside = on.x.clone(), on.x.clone()
    spoilt[1].view(-1)[0] = math.nan
    outside[1].view(-1)[0] = 1.5
    on.tally.clear()
    for what, x, y in (
        ("rows of another shape", on.x[..., :-1], on.y),
        ("a row with NaN", spoilt, on.y),
        ("a row out of bounds", outside, on.y),
        ("no rows", on.x[:0], on.y[:0]),
        ("a label out of range", on.x, on.y + 2),
        ("fewer labels than rows", on.x, on.y[:-1]),
    ):
        _refusal(name, what, UserError, partial(ask, on.box, x, y))
        assert not on.tally.rows, f"{name} pays before it refuses {what}."


def one_sentence(name: str, what: str, said: str) -> str:
    """What was said, if it is one sentence; AssertionError otherwise."""
    one = said.endswith(".") and "\n" not in said
    assert one, f"{name}, given {what}, does not answer in one sentence: {said!r}."
    return said


def _refusal(name: str, what: str, due: type[UserError], call: Callable[[], object]) -> str:
    """The sentence with which a call is refused; AssertionError if it is not."""
    try:
        call()
    except due as error:
        return one_sentence(name, what, str(error))
    except Exception as error:
        raise AssertionError(f"{name}, given {what}, raises {error!r}.") from error
    raise AssertionError(f"{name} takes {what} without a word.")
