"""How an explainer behaves: where it goes, what it leaves behind, what it does with trouble."""

import math
import pickle

from torch import Tensor

from pellucid.box.protocols import NoBox
from pellucid.explain.attribution import Explainer
from pellucid.explain.explaining import PARTS, explain
from pellucid.explain.explanations import Explained
from pellucid.explain.targets import label
from pellucid.needs import needs
from pellucid.runs import Status
from pellucid.testing import traces
from pellucid.testing._explained import explained, one_by_one, rows_of, tried
from pellucid.testing._refusals import Ask, refuses_bad_input, refuses_poorer_boxes
from pellucid.testing._rows import same_rows
from pellucid.testing.subjects import Subject, pictures, silent_pictures


def check_stays_inside(method: Explainer) -> None:
    """Questions are finite, and within the bounds if there are any."""
    for low, high in ((0.0, 1.0), (-math.inf, math.inf)):
        on = pictures(bounds=(low, high))
        explained(method, on)
        for question in on.tally.asked:
            inside = question.isfinite() & (question >= low) & (question <= high)
            assert bool(inside.all()), (
                f"{type(method).__name__} asks about values from {float(question.min()):.6g} to "
                f"{float(question.max()):.6g}, where the bounds are {low} and {high}."
            )


def check_leaves_no_trace(method: Explainer) -> None:
    """Generators, hooks, gradients, weights, modes and inputs are as they were found."""
    for budget in (None, 1):  # to the end, and cut short
        on = pictures()
        on.module.get_submodule("relu").eval()  # so that not all parts are in one mode
        before = _state(method, on)
        tried(method, on, budget=budget, where=f"on a budget of {budget}")
        changed = traces.differences(before, _state(method, on))
        assert not changed, f"{type(method).__name__} has changed {changed}."


def _state(method: Explainer, on: Subject) -> dict[str, str]:
    return {
        **traces.of_process(),
        **traces.of_module(on.module),
        "its own fields": pickle.dumps(method).hex(),
        "x": traces.of_tensor(on.x),
        "the target": traces.of_tensor(on.y),
    }


def check_silent_answers(method: Explainer) -> None:
    """An answer that is not finite marks its row, moves no other row, and raises nothing."""
    name, on = type(method).__name__, silent_pictures()
    said = explained(method, on, where="where answers are NaN")
    for question in on.tally.asked:
        assert bool(question.isfinite().all()), f"{name} asks about NaN after an answer of NaN."
    finite = said.values.flatten(1).isfinite().all(1).tolist()
    for row, (end, good) in enumerate(zip(said.status, finite, strict=True)):
        assert good or end is Status.INVALID, f"{name} ends row {row} as '{end}' with NaN in it."
    same_rows(method, rows_of(said), one_by_one(method, on), "alone where answers are NaN")


def check_refuses_poorer_box(method: Explainer) -> None:
    """A box that grants less than the signature names is refused in a sentence naming both."""
    wanted = needs(method, PARTS).box
    refuses_poorer_boxes(type(method).__name__, pictures(), wanted, _ask(method))


def check_names_bad_input(method: Explainer) -> None:
    """Bad rows and bad targets are refused in one sentence before anything is paid."""
    refuses_bad_input(type(method).__name__, pictures(), _ask(method))


def _ask(method: Explainer) -> Ask:
    """Explain the labels, with rows to compare with."""
    on = pictures()

    def ask(box: NoBox, x: Tensor, y: Tensor) -> Explained:
        return explain(method, box, x, label(y), data=(on.x, on.y), progress=False)

    return ask


EXPLAINER_CONDUCT_CHECKS = (
    check_stays_inside,
    check_leaves_no_trace,
    check_silent_answers,
    check_refuses_poorer_box,
    check_names_bad_input,
)
