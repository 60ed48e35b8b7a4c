"""Makes a model of a fitted scikit-learn estimator: what it eats, emits, and how it is asked."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pellucid.box.outputs import Emits
from pellucid.extras import extra
from pellucid.opening.facts import Facts
from pellucid.opening.found import Found, NoModel
from pellucid.opening.loaders.estimator_answers import (
    Array,
    Arrays,
    EstimatorAnswers,
    Numbered,
    as_logits,
    as_they_are,
)

# What a classifier can be asked for, the most telling first, and the method that answers it.
METHODS: Mapping[Emits, str] = {
    "probabilities": "predict_proba",
    "logits": "decision_function",
    "label": "predict",
}
NAMED = 6  # columns that a note lists


def wrapped(estimator: object, *, emits: Emits | None = None, digest: str | None = None) -> Found:
    """A fitted estimator as a model: `pellucid.open(wrapped(estimator))`.

    A regressor answers values. A classifier answers probabilities if it has them, else the scores
    of its decision function, else labels. Scores of an SVC go before its probabilities, which
    another model makes (Platt's) and which may contradict it. Where `predict` decides otherwise
    than by the greatest, as under a tuned threshold, `emits="label"` asks for its own decisions.
    A classifier is asked about one row of zeros.

    Args:
        estimator: a fitted classifier or regressor of scikit-learn, or of its interface;
            pipelines and searches are estimators too.
        emits: probabilities, logits or label of a classifier; None: the first that fits.
        digest: a hash of the estimator; None: its answers cannot be kept and used again.

    Raises:
        NoModel: it is not fitted, is of another kind, answers several things at once, or does not
            give what is asked for.
    """
    classes = _classes(estimator)
    width = getattr(estimator, "n_features_in_", None)  # some pipelines cannot tell
    answers = EstimatorAnswers(
        ask=_method(estimator, "predict"),
        read=as_they_are,
        features=None if width is None else int(width),
        digest=digest,
    )
    facts = Facts(emits="values", dtype="float64")
    if classes is not None:
        _check_one_label(answers)
        kind = _kind(estimator, emits, len(classes))
        facts = replace(facts, emits=kind, labels=tuple(str(name) for name in classes))
        read = {"logits": as_logits, "label": Numbered(classes=classes)}.get(kind, as_they_are)
        answers = replace(answers, ask=_method(estimator, METHODS[kind]), read=read)
    return Found(
        model=answers,
        by=f"the {type(estimator).__name__}",
        facts=facts,
        takes=None if width is None else (int(width),),
        notes=_columns(estimator),
    )


def _classes(estimator: object) -> Array | None:
    """The classes of a classifier (classes,), None for a regressor."""
    with extra("sklearn", "A scikit-learn estimator"):
        from sklearn.base import is_classifier, is_regressor
        from sklearn.exceptions import NotFittedError
        from sklearn.utils.validation import check_is_fitted
    kind = type(estimator).__name__
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        raise NoModel(f"This {kind} is not fitted: call fit(x, y) first.") from None
    except TypeError:
        raise NoModel(f"A {kind} is no estimator of scikit-learn: pass the estimator.") from None
    if is_regressor(estimator):
        return None
    if not is_classifier(estimator):
        raise NoModel(f"A {kind} neither classifies nor regresses: pass an estimator that does.")
    classes = getattr(estimator, "classes_", None)
    if not isinstance(classes, np.ndarray):  # a list of arrays, where several things are answered
        raise _several()
    if len(classes) < 2:
        raise NoModel(f"This {kind} knows one class, {classes}: fit it to two classes or more.")
    return classes


def _method(estimator: object, name: str) -> Arrays:
    return getattr(estimator, name)  # an estimator's methods depend on how it was set up


def _check_one_label(answers: EstimatorAnswers) -> None:
    """A classifier of several labels a row shows in what it predicts."""
    if answers.features is not None and answers(np.zeros((1, answers.features))).ndim != 1:
        raise _several()


def _several() -> NoModel:
    return NoModel(
        "This classifier answers several labels a row, and one is wanted: pass one of its "
        "estimators, or fit one a label."
    )


def _kind(estimator: object, emits: Emits | None, classes: int) -> Emits:
    """What the classifier is asked for."""
    has: list[Emits] = [kind for kind, name in METHODS.items() if getattr(estimator, name, None)]
    settings = _settings(estimator)
    if classes > 2 and settings.get("decision_function_shape") == "ovo":
        has = [kind for kind in has if kind != "logits"]  # scores of pairs, not of classes
    if emits is not None and emits in has:
        return emits
    if emits in METHODS:
        raise NoModel(
            f"This {type(estimator).__name__} cannot answer {emits}, one a class: declare "
            f"{' or '.join(has)}."
        )
    if settings.get("probability") is True and "logits" in has:
        return "logits"
    return has[0]


def _settings(estimator: object) -> dict[str, object]:
    """Parameters of an estimator and of what it is made of, by their own names."""
    parameters: dict[str, object] = getattr(estimator, "get_params", dict)()
    return {name.rpartition("__")[2]: value for name, value in parameters.items()}


def _columns(estimator: object) -> tuple[str, ...]:
    """What is to be said of an estimator that was fitted to a table."""
    names: NDArray[np.object_] | None = getattr(estimator, "feature_names_in_", None)
    if names is None:
        return ()
    first = ", ".join(map(str, names[:NAMED])) + (", ..." if len(names) > NAMED else "")
    return (f"It was fitted to columns with names: rows hold them in this order, {first}.",)
