"""Power laws of small perturbations: how error grows with their size, and how gaps are spread."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pellucid.errors import UserError

LOW, HIGH = 0.005, 0.5  # shares between which a law is looked for: fewer is noise, more saturates


@dataclass(frozen=True, kw_only=True)
class PowerLaw:
    """share = factor * at ** exponent, as it was fitted."""

    exponent: float
    factor: float
    r2: float  # share of the variance of log share that the law explains, weighted as in the fit
    points: int  # that were fitted


def fit_power_law(
    at: NDArray, share: NDArray, rows: int, *, low: float = LOW, high: float = HIGH
) -> PowerLaw:
    """Fit a line to log share over log at, by least squares weighted by binomial errors.

    The logarithm of a share p of n rows has a variance of (1 - p) / (n p); points of one curve are
    taken as independent, which those of cumulative shares are not.

    Args:
        at: sizes above zero, (k).
        share: of the rows at each size, (k).
        rows: of how many rows the shares are.
        low: shares below are left out.
        high: shares above are left out.

    Raises:
        UserError: fewer than three shares lie between low and high.
    """
    used = (share > low) & (share < high)
    if used.sum() < 3:
        raise UserError(
            f"A power law needs three shares or more between {low} and {high}, but "
            f"{int(used.sum())} of {len(share)} lie there: choose other sizes, or more rows."
        )
    at, p = np.log(at[used]), share[used]
    weight, p = rows * p / (1 - p), np.log(p)
    weight = weight / weight.sum()
    mean, height = weight @ at, weight @ p
    exponent = weight @ ((at - mean) * (p - height)) / (weight @ (at - mean) ** 2)
    left = p - height - exponent * (at - mean)
    return PowerLaw(
        exponent=float(exponent),
        factor=float(np.exp(height - exponent * mean)),
        r2=float(1 - weight @ left**2 / (weight @ (p - height) ** 2)),
        points=int(used.sum()),
    )


def gap_law(logits: Tensor, place: int, *, low: float = LOW, high: float = 0.1) -> PowerLaw:
    """How the gap between the largest logit and the one at a place (from 2 up) is spread near zero.

    The share of rows with a gap below s grows as s ** (place - 1) where nothing keeps logits apart.

    Args:
        logits: (rows, classes).
        place: of the logit that the first is compared with.
        low: the share of rows with the smallest gaps that are left out.
        high: the share up to which the law is fitted.
    """
    top = logits.double().topk(place).values
    gaps = np.sort((top[:, 0] - top[:, -1]).cpu().numpy())
    share = np.geomspace(low, high, 20)
    return fit_power_law(
        np.quantile(gaps, share), share, len(gaps), low=low * 0.999, high=high * 1.001
    )
