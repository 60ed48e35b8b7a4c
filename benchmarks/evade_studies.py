"""What is compared: the studies of attacks, in the order of their page."""

from benchmarks.evade import ALONE, ART, FOOLBOX, OURS, TORCHATTACKS, Study
from benchmarks.worker import Job

HARDENED = "fashion-cnn-hardened"
MARGIN = 1.0  # logits between first and second class, for images that no attack will move
HOPELESS = 1e-4  # a radius within which no such image has a success


def pgd(epsilon: float, repeats: int) -> Job:
    """PGD-40 in Linf with a random start and steps of 2.5 radii in all."""
    return Job(
        attack="pgd",
        norm="linf",
        epsilon=epsilon,
        steps=40,
        step_size=2.5 * epsilon / 40,
        budget=40,
        repeats=repeats,
    )


GRADIENT = (
    Study(
        slug="pgd-hopeless",
        title="PGD-40, Linf 0.0001: no row finishes early, so this is the price of a step",
        job=pgd(HOPELESS, repeats=7),
        tools=(OURS, FOOLBOX, TORCHATTACKS, ART),
        margin=MARGIN,
    ),
    Study(
        slug="pgd",
        title="PGD-40, Linf 0.1",
        job=pgd(0.1, repeats=3),
        tools=(OURS, FOOLBOX, TORCHATTACKS, ART),
    ),
    Study(
        slug="apgd-hopeless",
        title="APGD-CE-40, Linf 0.0001: the price of a step",
        job=Job(attack="apgd", norm="linf", epsilon=HOPELESS, steps=40, budget=41, repeats=5),
        tools=(OURS, TORCHATTACKS, ART),
        margin=MARGIN,
    ),
    Study(
        slug="apgd",
        title="APGD-CE-40, Linf 0.1, hardened",
        job=Job(attack="apgd", norm="linf", epsilon=0.1, steps=40, budget=41, repeats=3),
        tools=(OURS, TORCHATTACKS, ART),
        subject=HARDENED,
    ),
    Study(
        slug="fmn-linf",
        title="FMN-100, Linf, hardened",
        job=Job(attack="fmn", norm="linf", steps=100, budget=100),
        tools=(OURS, FOOLBOX),
        subject=HARDENED,
        minimises=True,
    ),
    Study(
        slug="fmn-l2",
        title="FMN-100, L2, hardened",
        job=Job(attack="fmn", norm="l2", steps=100, budget=100),
        tools=(OURS, FOOLBOX),
        subject=HARDENED,
        minimises=True,
    ),
    Study(
        slug="fab-linf",
        title="FAB-20, Linf, hardened",
        job=Job(attack="fab", norm="linf", steps=20, budget=1000),
        tools=(OURS, TORCHATTACKS),
        subject=HARDENED,
        minimises=True,
    ),
    Study(
        slug="carlini-wagner",
        title="Carlini-Wagner, L2, five searches of 100 steps, hardened",
        note="Where foolbox finds nothing it hands back a black image, which the network takes for "
        "another class than most: some ten of its successes are of that kind, at 15 to 22. It "
        "stops a search for all images together, Pellucid for each.",
        job=Job(
            attack="carlini-wagner", norm="l2", steps=100, budget=500, step_size=0.05, searches=5
        ),
        tools=(OURS, FOOLBOX),
        subject=HARDENED,
        minimises=True,
    ),
    Study(
        slug="autoattack",
        title="The four attacks of AutoAttack (standard) in turn, Linf 0.1, hardened",
        note="APGD-CE with 100 steps, targeted APGD and targeted FAB with 100 steps towards each "
        "of 9 classes, Square with 5,000 queries, each on the rows that stand after those before: "
        "the official settings. What torchattacks itself calls AutoAttack has 10 steps in place of "
        "100; here its four attacks are given the official ones. On 50 images.",
        job=Job(attack="autoattack", norm="linf", epsilon=0.1, steps=100, budget=5000, share=0.8),
        tools=(OURS, TORCHATTACKS),
        subject=HARDENED,
        rows=50,
        rounds=3,
    ),
    Study(
        slug="pma-plus",
        title="PMA+ against the four attacks of AutoAttack (standard), Linf 0.1, hardened",
        note="torchattacks runs AutoAttack's four attacks as in the study before; the robust "
        "accuracy that PMA+ leaves should be as low, for half of the passes or less.",
        job=Job(attack="pma-plus", norm="linf", epsilon=0.1, steps=100, budget=5000, share=0.8),
        tools=(OURS, TORCHATTACKS),
        subject=HARDENED,
        rounds=2,
    ),
    Study(
        slug="mi-fgsm",
        title="MI-FGSM, ten steps, Linf 0.1, hardened",
        job=Job(attack="mi-fgsm", norm="linf", epsilon=0.1, steps=10, budget=10, repeats=5),
        tools=(OURS, TORCHATTACKS),
        subject=HARDENED,
    ),
)

SCORES = (
    Study(
        slug="square-hopeless",
        title="Square, Linf 0.0001, 1,000 queries: the price of a query",
        job=Job(attack="square", norm="linf", epsilon=HOPELESS, budget=1000, share=0.8),
        tools=(OURS, TORCHATTACKS),
        margin=MARGIN,
    ),
    Study(
        slug="square-l2-hopeless",
        title="Square, L2 0.001, 1,000 queries: the price of a query",
        job=Job(attack="square", norm="l2", epsilon=1e-3, budget=1000, share=0.8),
        tools=(OURS, TORCHATTACKS),
        margin=MARGIN,
    ),
    Study(
        slug="square",
        title="Square, Linf 0.1, at most 1,000 queries, hardened",
        note="The first squares cover 0.8 of the pixels, as in AutoAttack, for every tool.",
        job=Job(attack="square", norm="linf", epsilon=0.1, budget=1000, share=0.8),
        tools=(OURS, TORCHATTACKS, ART),
        subject=HARDENED,
    ),
    Study(
        slug="simba",
        title="SimBA, pixels in a random order, steps of 0.2, 1,001 queries, hardened",
        note="500 steps for ART, which asks twice a step; Pellucid asks about the second side only "
        "where the first is no gain, and so makes more steps of as many queries. Both stop at a "
        "row's first success, and no tool makes the distance small after it.",
        job=Job(attack="simba", norm="l2", steps=500, step_size=0.2, budget=1001),
        tools=(OURS, ART),
        subject=HARDENED,
    ),
    Study(
        slug="one-pixel",
        title="One pixel, 99 candidates and 10 generations",
        note="Both breed 99 candidates ten times. Pellucid mutates a random candidate, as the "
        "paper's equation says, torchattacks the best one.",
        job=Job(attack="one-pixel", norm="l2", steps=10, population=99, budget=1100),
        tools=(OURS, TORCHATTACKS),
    ),
)

DECISIONS = (
    Study(
        slug="hopskipjump",
        title="HopSkipJump, L2, labels alone, as many queries as eight steps of foolbox",
        job=Job(
            attack="hopskipjump",
            norm="l2",
            steps=8,
            budget=1788,  # what foolbox spends on its eight steps; ART spends 1,735
        ),
        tools=(OURS, FOOLBOX, ALONE, ART),
        rounds=3,
        minimises=True,
    ),
    Study(
        slug="cgba",
        title="CGBA against HopSkipJump, L2, labels alone, hardened",
        note="CGBA has no peer among the tools, so these run their HopSkipJump, with eight steps "
        "as in the study before. Arcs are cut in three points a call.",
        job=Job(attack="cgba", norm="l2", steps=8, budget=1788),
        tools=(OURS, FOOLBOX, ART),
        subject=HARDENED,
        rounds=3,
        minimises=True,
    ),
    Study(
        slug="boundary",
        title="Boundary attack, L2, 2,000 steps, hardened",
        job=Job(attack="boundary", norm="l2", steps=2000, budget=2400),
        tools=(OURS, FOOLBOX),
        subject=HARDENED,
        minimises=True,
    ),
    Study(
        slug="geoda",
        title="GeoDA, L2, labels alone, waves up to the tenth, hardened",
        job=Job(attack="geoda", norm="l2", waves=10, budget=2000, step_size=1e-4),
        tools=(OURS, ART),
        subject=HARDENED,
        minimises=True,
    ),
)

STUDIES = (*GRADIENT, *SCORES, *DECISIONS)
