"""What clean.accuracy has asked, for the checks that ask nothing more."""

from numpy.typing import NDArray

from pellucid.audit.check import CannotTest, Ground
from pellucid.spec import OneClass

ACCURACY = "clean.accuracy"


def no_classifier(ground: Ground) -> str | None:
    """Why there is no right class to speak of; None: there is."""
    if isinstance(ground.box.spec.answer, OneClass):
        return None
    return "the model does not answer one class a row"


def measured(ground: Ground) -> dict[str, NDArray]:
    """The arrays of clean.accuracy.

    Raises:
        CannotTest: it is not in the plan, or did not come to its end.
    """
    if ACCURACY not in ground.earlier:
        raise CannotTest(f"it reads what {ACCURACY} asks, which there is not")
    return ground.earlier[ACCURACY].arrays


def called(label: int, names: tuple[str, ...]) -> str:
    """The class of a label; a model may know classes that the data does not name."""
    if label < 0:
        return "no answer"
    return names[label] if label < len(names) else str(label)
