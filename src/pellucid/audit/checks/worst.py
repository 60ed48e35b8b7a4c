"""A check of no cost: what is left when every row is met by the attack that is worst for it."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from pellucid.audit.check import CannotTest, Ground, Price
from pellucid.audit.checks._robust import at_radii, broken, lows, told
from pellucid.audit.curves import by_epsilon
from pellucid.audit.finding import Finding, Found
from pellucid.audit.radii import bounded
from pellucid.ball import NormName
from pellucid.box.protocols import GRANTS, Access, NoBox
from pellucid.spec import Image, Vector
from pellucid.statistics import mcnemar

PREFIX = "falsify."
ALPHA = 0.05  # of all radii together
MASKED = (
    " What does not see gradients breaks rows that gradients could not: they mislead here, or "
    "their attacks were too weak, and robustness should not be believed on their word."
)


@dataclass(frozen=True, kw_only=True)
class Worst:
    """The union of the attacks of one norm, row by row."""

    norm: NormName = "linf"

    @property
    def name(self) -> str:
        """Such as "falsify.worst.linf"."""
        return f"{PREFIX}worst.{self.norm}"

    @property
    def access(self) -> type:
        """It asks nothing."""
        return NoBox

    def refusal(self, ground: Ground, /) -> str | None:
        """It speaks of inputs with a range."""
        source = ground.box.spec.input
        ok = isinstance(source, Image | Vector) and bounded(source)
        return None if ok else "no attack here moves such inputs"

    def price(self, _ground: Ground, /) -> Price:
        """Nothing."""
        return Price(least=0, most=0)

    def __call__(self, ground: Ground, _budget: int, /) -> Found:
        """Join what the attacks before it found."""
        attacks = attacks_of(ground, self.norm)
        if len(attacks) < 2:
            raise CannotTest(f"fewer than two attacks of {self.norm} came to their end")
        distances = np.stack([one.arrays["distance"] for one in attacks.values()])
        nearest, which = distances.min(0), distances.argmin(0)
        radii = sorted(set.intersection(*(set(_epsilons(one)) for one in attacks.values())))
        lines = at_radii(nearest, radii)
        masked = _masked(attacks, radii)
        won = Counter(list(attacks)[i] for i in which[broken(nearest)].tolist())
        finding = Finding(
            check=self.name,
            system=None,
            severity=ground.limits.broken(lows(lines)),
            access=_most([one.finding.access for one in attacks.values()]),
            figures={
                "norm": self.norm,
                "rows": len(nearest),
                "attacks": ", ".join(attacks),
                "by_epsilon": lines,
                "curve": by_epsilon(nearest, at=radii),
                "nearest": [{"attack": name, "rows": won[name]} for name in attacks],
                "masked": masked,
            },
            text=f"Against the worst of {len(attacks)} attacks a row. {told(self.norm, lines)}"
            + (MASKED if masked else ""),
        )
        return Found(finding=finding, arrays={"distance": nearest})


def attacks_of(ground: Ground, norm: NormName) -> dict[str, Found]:
    """The attacks of a norm that came to their end, by their methods."""
    ended = ((one.finding.system, one) for one in ground.earlier.values())
    return {
        system: one
        for system, one in ended
        if system
        and one.finding.check.startswith(PREFIX)
        and one.finding.figures.get("norm") == norm
    }


def _masked(attacks: dict[str, Found], radii: list[float]) -> bool:
    """Whether attacks on scores or labels break rows that those by gradients do not.

    More often than chance would have it: the exact one-sided McNemar test at each radius, at 5 %
    for all of them.
    """
    seeing = [one for one in attacks.values() if one.finding.access in ("gradient", "white")]
    blind = [one for one in attacks.values() if one.finding.access in ("score", "label")]
    if not seeing or not blind:
        return False
    near, far = (np.min([one.arrays["distance"] for one in s], 0) for s in (blind, seeing))
    tests = (float(mcnemar(near <= radius, far <= radius, tails=1)) for radius in radii)
    return any(chance < ALPHA / len(radii) for chance in tests)


def _epsilons(one: Found) -> list[float]:
    """The radii at which an attack tells the accuracy."""
    lines = one.finding.figures["by_epsilon"]
    assert isinstance(lines, list)
    return [line["epsilon"] for line in lines if isinstance(line["epsilon"], float)]


def _most(accesses: list[Access]) -> Access:
    """The most of some kinds of access."""
    return max(accesses, key=list(GRANTS).index)
