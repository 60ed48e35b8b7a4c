"""Randomised smoothing: the radius within which a vote under noise cannot be turned."""

from dataclasses import dataclass

import torch
from scipy.special import ndtri
from torch import Tensor

from pellucid.box.protocols import LabelBox
from pellucid.errors import UserError
from pellucid.rng import Streams
from pellucid.shapes import Batch, Each, Labels
from pellucid.spec import NO_ANSWER
from pellucid.statistics import clopper_pearson

ABSTAINS = NO_ANSWER  # the label where nothing is certified


@dataclass(frozen=True, kw_only=True)
class Certified:
    """What the smoothed classifier decides, and how far from x it stays so."""

    labels: Labels  # -1: it abstains
    radius: Each  # l2, in the units of x; 0 where it abstains
    chance: Each  # lower bound of the class's probability under noise


@dataclass(frozen=True, kw_only=True)
class Smoothing:
    """Certifies what a classifier says most often under Gaussian noise, with a radius in l2.

    Source: Cohen et al., ICML 2019 (CERTIFY; the bound is one-sided, of Clopper and Pearson).
    Needs: labels.
    Cost: selecting + estimating queries a row; nothing is asked again and no answer is reused, as
        repetition is the point.
    Differs: a question that gets no answer, or one that is not finite, counts against the class,
        which keeps the certificate when a budget ends. Noise is drawn in float32, a row's own.
    """

    sigma: float = 0.25  # deviation of the noise, in the units of x
    selecting: int = 100  # draws that choose the class (n0)
    estimating: int = 100_000  # draws that bound how likely it is (n)
    alpha: float = 0.001  # the chance that a certificate is wrong
    at_a_time: int = 1000  # draws that are held at once

    def __post_init__(self) -> None:
        """Refuse numbers that certify nothing."""
        if not (self.sigma > 0 and 0 < self.alpha < 1):
            raise UserError(
                f"Smoothing needs sigma above 0 and alpha between 0 and 1, not {self.sigma} and "
                f"{self.alpha}."
            )
        if min(self.selecting, self.estimating, self.at_a_time) < 1:
            raise UserError("Smoothing needs at least one draw of each kind.")

    def certify(self, box: LabelBox, x: Batch, rng: Streams) -> Certified:
        """The label and the radius of each row.

        The smoothed classifier gives each label for all points nearer than the radius, but with
        probability alpha a row, over the noise. The noise leaves the bounds of x; a box that
        clamps its input is certified with its clamping.

        Args:
            box: the base classifier, of single labels.
            x: (n, *shape).
            rng: a stream a row.
        """
        first = self._votes(box, x, rng, self.selecting)
        chosen = first.argmax(-1)
        votes = self._votes(box, x, rng, self.estimating)
        hits = votes.gather(-1, chosen[:, None])[:, 0]
        low, _ = clopper_pearson(hits.numpy(), self.estimating, 1 - self.alpha, tails=1)
        sure = torch.from_numpy(low > 0.5) & (first.sum(-1) > 0)
        radius = torch.from_numpy(self.sigma * ndtri(low)).to(x)
        return Certified(
            labels=torch.where(sure, chosen, ABSTAINS),
            radius=torch.where(sure, radius, 0.0),
            chance=torch.from_numpy(low).to(x),
        )

    def _votes(self, box: LabelBox, x: Batch, rng: Streams, draws: int) -> Tensor:
        """How often each class is said under noise: (n, classes)."""
        votes = torch.zeros(len(x), box.spec.answer.size, dtype=torch.int64)
        for start in range(0, draws, self.at_a_time):
            noise = rng.normal(min(self.at_a_time, draws - start), x.shape[1:])
            said = box.labels(x + self.sigma * noise)
            votes += _counted(said, votes.shape[-1])
        return votes


def _counted(said: Tensor, classes: int) -> Tensor:
    """How often each class was said to each row, of labels (draws, n); what is none is left out."""
    real = (said >= 0) & (said < classes)
    table = torch.zeros(said.shape[1], classes + 1, dtype=torch.int64)
    places = torch.where(real, said, classes).T
    return table.scatter_add(1, places, torch.ones_like(places))[:, :classes]
