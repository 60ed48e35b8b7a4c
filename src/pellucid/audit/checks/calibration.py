"""Whether the model is right as often as it says."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.audit.check import Ground, Price
from pellucid.audit.checks._measured import measured, no_classifier
from pellucid.audit.checks._share import TAIL, Share
from pellucid.audit.finding import Figure, Figures, Finding, Found, Lines
from pellucid.box.protocols import ScoreBox
from pellucid.calibration import BINS, Temperature, expected_calibration_error, reliability
from pellucid.errors import UserError
from pellucid.statistics import FEWEST_ITEMS, Interval, bootstrap_bounds


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The expected calibration error in 15 bins, by the scores that clean.accuracy has bought.

    Its interval is a percentile bootstrap over rows with the bins held fixed. On few rows the
    error comes out too high, in the sample and more so in its resamples, as noise adds to the
    gaps of the bins whatever its sign; nothing is subtracted for that, so few rows weigh against
    the model. `temperature` is fitted on all rows; `ece_after` is what temperature scaling leaves
    on rows that it was not fitted on: the rows are drawn into two halves, always the same ones,
    and each is scaled by the temperature of the other. Rows whose scores are not finite are left
    out; with fewer than 20 others nothing is promised. Source: Guo et al., ICML 2017.
    """

    resamples: int = 1999  # of the bootstrap

    def __post_init__(self) -> None:
        """Refuse so few resamples that they have no such tails."""
        if (self.resamples + 1) * TAIL < 1:
            raise UserError(
                f"A 95 % interval takes 39 resamples or more, but resamples is {self.resamples}."
            )

    @property
    def name(self) -> str:
        """Its stage and name."""
        return "clean.calibration"

    @property
    def access(self) -> type:
        """The least box that it must be shown."""
        return ScoreBox

    def refusal(self, ground: Ground, /) -> str | None:
        """The model must be a classifier, and the rows not too few for an interval."""
        if reason := no_classifier(ground):
            return reason
        if len(ground.data) < FEWEST_ITEMS:
            return f"it takes {FEWEST_ITEMS} rows or more to say how sure the model should be"
        return None

    def price(self, _ground: Ground, /) -> Price:
        """Nothing is asked."""
        return Price(least=0, most=0)

    def __call__(self, ground: Ground, _budget: int, /) -> Found:
        """Compare confidence and accuracy.

        Raises:
            CannotTest: clean.accuracy is not there.
        """
        scores, y = measured(ground)["scores"], ground.data.y.numpy()
        whole = np.isfinite(scores).all(-1)
        usable = int(whole.sum())
        if usable >= FEWEST_ITEMS:
            figures, text = self._told(scores[whole], y[whole])
        else:
            figures, text = _silent(usable, len(y))
        high = figures["high"]
        bound = 1 - high if isinstance(high, float) else 0.0
        finding = Finding(
            check=self.name,
            system=None,
            severity=ground.limits.calibrated.short(bound),
            access="score",
            figures=figures,
            text=text,
        )
        return Found(finding=finding)

    def _told(self, scores: NDArray, y: NDArray[np.int64]) -> tuple[Figures, str]:
        confidence, right, place = reliability(scores, y)
        error = bootstrap_bounds(
            _error, confidence - right, place, confidence=1 - TAIL, resamples=self.resamples
        )
        temperature, after = Temperature.fit(scores, y).value, _after(scores, y)
        surplus = float((confidence - right).mean())
        figures: Figures = {
            "rows": len(y),
            "ece": error.estimate,
            "low": error.low,
            "high": error.high,
            "surplus": surplus,  # mean confidence less accuracy
            "temperature": temperature,
            "ece_after": after,
            "bins": _bins(confidence, right, place),
        }
        return figures, _text(error, surplus, temperature, after)


def _error(gap: NDArray, place: NDArray) -> NDArray:
    """The expected calibration error of each resample (*resamples, n)."""
    rows = gap.shape[-1]
    resample = np.arange(gap.size // rows)[:, None] * BINS
    where = (resample + place.reshape(-1, rows)).astype(int).reshape(-1)
    sums = np.bincount(where, gap.reshape(-1), minlength=len(resample) * BINS)
    return np.abs(sums).reshape(-1, BINS).sum(-1) / rows


def _after(scores: NDArray, y: NDArray[np.int64]) -> float:
    """The error of scores that are scaled by the temperature of the other half."""
    scaled = scores.astype(float)
    halves = np.array_split(np.random.default_rng(0).permutation(len(y)), 2)
    for one, other in (halves, halves[::-1]):
        scaled[one] /= Temperature.fit(scores[other], y[other]).value
    return expected_calibration_error(scaled, y)


def _bins(confidence: NDArray, right: NDArray, place: NDArray) -> Lines:
    """The reliability diagram: bins that have rows, with their accuracy's exact interval."""
    lines: Lines = []
    for number in np.unique(place):
        there = place == number
        share = Share(name=str(number), right=int(right[there].sum()), rows=int(there.sum()))
        mean: dict[str, Figure] = {"confidence": float(confidence[there].mean())}
        lines.append(mean | share.told())
    return lines


def _text(error: Interval, surplus: float, temperature: float, after: float) -> str:
    lean = "surer than it is right" if surplus > 0 else "less sure than it is right"
    mended = (
        f"a temperature of {temperature:.3g} brings that to {after:.1%}"
        if after < error.estimate
        else "one temperature does not mend that"
    )
    return (
        f"The model's confidence is off by {error.estimate:.1%} on average (95 % interval "
        f"{error.low:.1%} to {error.high:.1%}, too high rather than too low on few rows); on the "
        f"whole it is {lean}, by {abs(surplus):.1%}, and {mended}."
    )


def _silent(usable: int, rows: int) -> tuple[Figures, str]:
    names = ("ece", "low", "high", "surplus", "temperature", "ece_after")
    figures: Figures = {"rows": usable, **dict.fromkeys(names), "bins": []}
    return figures, (
        f"Only {usable} of {rows} rows have finite scores, too few to say whether the model is "
        "right as often as it says."
    )
