"""PGD: forty projected steps find more adversarial inputs than one step of the same length."""

from pellucid import data, opening
from pellucid.attack.evade.fgsm import FGSM
from pellucid.attack.evade.pgd import PGD
from pellucid.ball import Ball
from pellucid.claims.claim import Claim, Measurement, Pair
from pellucid.claims.comparisons import Difference
from pellucid.claims.relation import Hypothesis, above
from pellucid.claims.subjects import recipe
from pellucid.goals import misled
from pellucid.runner import run

# Between the radius at which both attacks fail and the one at which both always win, where the
# comparison says something; chosen on pilot seeds 1000 and 1001 (docs/decisions/0003).
BALL = Ball("linf", 0.2)
MANY = PGD(ball=BALL)
ONE = FGSM(ball=BALL)


def measure(seed: int, quick: bool) -> Measurement:
    """The share of the test rows that each attack gets wrong, on networks trained with the seed."""
    test = data.load("digits", "test")
    rows = 100 if quick else len(test)
    x, goal = test.x[:rows], misled(test.y[:rows])
    measured = {}
    for name, subject in (("plain", "digits-cnn"), ("hardened", "digits-cnn-hardened")):
        box = opening.open(recipe(subject, seed).build(), access="gradient", shape=(1, 8, 8))
        many, one = (
            run(method, box, x, goal=goal, seed=seed).success.double().mean().item()
            for method in (MANY, ONE)
        )
        measured[name] = Pair(ours=many, theirs=one)
    return measured


CLAIM = Claim(
    slug="pgd",
    title="PGD finds more than FGSM",
    seeds=5,
    measure=measure,
    data=("digits",),
    subjects=tuple(
        recipe(name, seed) for seed in range(5) for name in ("digits-cnn", "digits-cnn-hardened")
    ),
    hypotheses=(
        Hypothesis(
            name="plain",
            meaning="error under PGD less error under FGSM, on a network trained plainly",
            statistic=Difference(),
            threshold=above(0),
        ),
        Hypothesis(
            name="hardened",
            meaning="error under PGD less error under FGSM, on a network trained against PGD",
            statistic=Difference(),
            threshold=above(0),
        ),
    ),
)
