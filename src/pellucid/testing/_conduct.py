"""How a method behaves: where it goes, what it leaves behind, and what it does with trouble."""

import math
import pickle

from torch import Tensor

from pellucid.box.protocols import LabelBox, NoBox
from pellucid.goals import misled
from pellucid.needs import Attack, needs
from pellucid.runner import run
from pellucid.runs import UNFINISHED, Run
from pellucid.testing import traces
from pellucid.testing._refusals import Ask, refuses_bad_input, refuses_poorer_boxes
from pellucid.testing._rows import one_by_one, same_rows
from pellucid.testing.driving import attacked, driven, rows_of, surroundings
from pellucid.testing.subjects import Subject, silent_subject, stubborn_subject, subject


def check_stays_inside(method: Attack) -> None:
    """Iterates and questions are finite, and within the bounds if there are any."""
    for low, high in ((0.0, 1.0), (-math.inf, math.inf)):
        on = subject(bounds=(low, high))
        for iterate in driven(method, on).iterates:
            _inside(method, "yields", iterate, low, high)
        for question in on.tally.asked:
            _inside(method, "asks about", question, low, high)


def _inside(method: Attack, does: str, z: Tensor, low: float, high: float) -> None:
    name = type(method).__name__
    assert bool(z.isfinite().all()), f"{name} {does} a point that is not finite."
    assert bool(((z >= low) & (z <= high)).all()), (
        f"{name} {does} a point with values from {float(z.min()):.6g} to {float(z.max()):.6g}, "
        f"where the bounds are {low} and {high}."
    )


def check_leaves_no_trace(method: Attack) -> None:
    """Generators, hooks, gradients, weights, modes and inputs are as they were found."""
    for budget in (1000, 5):  # to the end, and cut short
        on = subject()
        on.module.get_submodule("relu").eval()  # so that not all parts are in one mode
        process, module = traces.of_process(), traces.of_module(on.module)
        fields = {"its own fields": pickle.dumps(method).hex()}
        drive = driven(method, on, budget=budget)
        handed = {name: traces.of_tensor(tensor) for name, tensor in drive.handed.items()}
        changed = traces.differences(
            process | module | fields | drive.before,
            traces.of_process()
            | traces.of_module(on.module)
            | {"its own fields": pickle.dumps(method).hex()}
            | handed,
        )
        assert not changed, f"{type(method).__name__} has changed {changed}."


def check_silent_answers(method: Attack) -> None:
    """An answer that is not finite wins nothing, moves no other row, and raises nothing."""
    name, on = type(method).__name__, silent_subject()
    found = attacked(method, on, where="where answers are NaN")
    _won(method, found, on)
    for question in on.tally.asked:
        assert bool(question.isfinite().all()), f"{name} asks about NaN after an answer of NaN."
    late = [status.value for status in found.status if status in UNFINISHED]
    assert not late, f"{name} leaves rows as {late} where answers are NaN."
    together = rows_of(method, found)
    same_rows(method, together, one_by_one(method, on), "alone where answers are NaN")
    if needs(method).box is LabelBox:
        # the last row stands in a stripe and is never attacked; the others must see no difference
        stubborn = rows_of(method, attacked(method, stubborn_subject()))
        same_rows(
            method, stubborn[:-1], together[:-1], "where answers are NaN, not the row's class"
        )


def check_success_is_real(method: Attack) -> None:
    """What is called a success meets the goal when it is asked again, inside ball and bounds."""
    on = subject()
    _won(method, attacked(method, on), on)


def _won(method: Attack, found: Run, on: Subject) -> None:
    """Ask again about what is called a success."""
    name, ball = type(method).__name__, method.ball
    answer = on.box.labels(found.adversarial)
    met = (answer >= 0) & (answer != on.y)
    distance = ball.distance(found.adversarial, found.x)
    for what, good in (
        ("does not meet the goal", met),
        ("lies outside the ball", distance <= ball.limit(found.x)),
        ("lies outside the bounds", on.box.spec.inside(found.adversarial)),
    ):
        bad = (found.success & ~good).nonzero()[:, 0].tolist()
        assert not bad, f"{name} wins rows {bad} with a point that {what}."
    moved = ~found.success & (found.adversarial != found.x).flatten(1).any(1)
    assert not bool(moved.any()), f"{name} gives back other than x for rows it has not won."


def check_refuses_poorer_box(method: Attack) -> None:
    """A box that grants less than the signature names is refused in a sentence naming both."""
    refuses_poorer_boxes(type(method).__name__, subject(), needs(method).box, _ask(method))


def check_names_bad_input(method: Attack) -> None:
    """Bad rows and bad labels are refused in one sentence before anything is paid."""
    refuses_bad_input(type(method).__name__, subject(), _ask(method))


def _ask(method: Attack) -> Ask:
    """Run the attack, with what it needs besides."""
    around = surroundings(needs(method), subject())

    def ask(box: NoBox, x: Tensor, y: Tensor) -> Run:
        return run(
            method,
            box,
            x,
            goal=misled(y),
            surrogates=around.surrogates,
            data=around.data,
            progress=False,
        )

    return ask


CONDUCT_CHECKS = (
    check_stays_inside,
    check_leaves_no_trace,
    check_silent_answers,
    check_success_is_real,
    check_refuses_poorer_box,
    check_names_bad_input,
)
