"""Whether a classifier is right as often as it says, and the one number that mends it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import root_scalar
from scipy.special import logsumexp, softmax

from pellucid.errors import UserError

BINS = 15
COLDEST, HOTTEST = 1e-3, 1e3  # temperatures between which one is sought


def expected_calibration_error(scores: NDArray, labels: NDArray, bins: int = BINS) -> float:
    """The mean distance between confidence and accuracy, over bins of equal width.

    The confidence of a row is its largest probability; a bin holds its upper end, and weighs as
    many rows as it has. Source: Naeini et al., AAAI 2015; Guo et al., ICML 2017.

    Args:
        scores: (n, classes), logits or log-probabilities.
        labels: (n,), whole numbers.
        bins: how many.

    Raises:
        UserError: scores and labels do not fit, or are not finite.
    """
    confidence, right, place = reliability(scores, labels, bins)
    gaps = np.bincount(place, confidence - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(place))


def reliability(
    scores: NDArray, labels: NDArray, bins: int = BINS
) -> tuple[NDArray, NDArray, NDArray]:
    """Of each row its confidence, whether the top class is right, and its bin: each (n,).

    Raises:
        UserError: scores and labels do not fit, or are not finite.
    """
    scores, labels = _checked(scores, labels)
    chances = softmax(scores, -1)
    confidence, right = chances.max(-1), chances.argmax(-1) == labels
    return confidence, right, np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)


def negative_log_likelihood(scores: NDArray, labels: NDArray, temperature: float = 1.0) -> float:
    """The mean of -log p(label), where p is the softmax of the scores over a temperature."""
    scores, labels = _checked(scores, labels)
    cooled = scores / temperature
    totals = np.asarray(logsumexp(cooled, -1))
    return float((totals - cooled[np.arange(len(labels)), labels]).mean())


@dataclass(frozen=True, kw_only=True)
class Temperature:
    """What one temperature does for the probabilities of the rows that it was fitted on.

    Source: Guo et al., ICML 2017.
    """

    value: float  # above 1: the classifier was too sure of itself
    likelihood: tuple[float, float]  # negative log-likelihood before and after
    error: tuple[float, float]  # expected calibration error before and after

    @classmethod
    def fit(cls, scores: NDArray, labels: NDArray, bins: int = BINS) -> "Temperature":
        """The temperature at which held-out labels are the likeliest.

        With b = 1 / temperature, the likelihood's slope is the mean of what the scores are
        expected to be less what they are at the labels, which rises with b: its one zero is
        bracketed. Where every label is the top class (or scores do not help at all), there is no
        zero, and the value is the coldest (or the hottest) that is sought, 0.001 (or 1000).

        Args:
            scores: (n, classes), logits or log-probabilities, of rows not trained on.
            labels: (n,), whole numbers.
            bins: of the calibration error.

        Raises:
            UserError: scores and labels do not fit, or are not finite.
        """
        scores, labels = _checked(scores, labels)
        at_labels = scores[np.arange(len(labels)), labels].mean()

        def slope(log_b: float) -> float:
            return float((softmax(np.exp(log_b) * scores, -1) * scores).sum(-1).mean() - at_labels)

        ends = -np.log(HOTTEST), -np.log(COLDEST)
        if slope(ends[0]) >= 0:
            value = HOTTEST
        elif slope(ends[1]) <= 0:
            value = COLDEST
        else:
            value = float(np.exp(-root_scalar(slope, bracket=ends, xtol=1e-12).root))
        return cls(
            value=value,
            likelihood=(
                negative_log_likelihood(scores, labels),
                negative_log_likelihood(scores, labels, value),
            ),
            error=(
                expected_calibration_error(scores, labels, bins),
                expected_calibration_error(scores / value, labels, bins),
            ),
        )


def _checked(scores: NDArray, labels: NDArray) -> tuple[NDArray, NDArray]:
    scores, labels = np.asarray(scores, float), np.asarray(labels)
    if scores.ndim != 2 or labels.shape != scores.shape[:1] or not len(labels):
        raise UserError(
            f"Calibration needs scores (n, classes) and labels (n,) of some rows, but they are "
            f"{scores.shape} and {labels.shape}."
        )
    if not np.isfinite(scores).all():
        raise UserError("Calibration needs finite scores: leave out rows without an answer.")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= scores.shape[1]:
        raise UserError(
            f"Calibration needs labels that are whole numbers from 0 to {scores.shape[1] - 1}."
        )
    return scores, labels
