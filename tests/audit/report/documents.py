"""Audits as audit.json has them, with the rows and arrays that belong to them."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from pellucid.audit.document import Audit, DataFacts, ModelFacts, PlanFacts
from pellucid.audit.finding import Cost, Finding, NotTested
from pellucid.audit.report import render
from pellucid.audit.severity import Limits
from pellucid.data import load

ROOT = Path(__file__).resolve().parents[3]
ROWS = 200
RADII = (0.01, 0.03, 0.1, 0.3)
CLASSES = tuple(map(str, range(10)))


@dataclass(frozen=True, kw_only=True)
class Made:
    """What the report is rendered from."""

    document: dict
    arrays: dict = field(default_factory=dict)
    x: np.ndarray
    y: np.ndarray
    class_names: tuple = CLASSES

    def page(self):
        return render(self.document, self.arrays, self.x, self.y, self.class_names)


def share(right, rows=ROWS):
    """An accuracy with an interval around it."""
    part = right / rows
    half = 1.96 * np.sqrt(max(part * (1 - part), 0.002) / rows)
    low, high = float(max(part - half, 0)), float(min(part + half, 1))
    return {"accuracy": part, "low": low, "high": high}


def finding(check, severity="none", figures=None, **rest):
    told = {"system": None, "access": "label", "text": f"{check} was measured."} | rest
    return Finding(check=check, severity=severity, figures=figures or {}, **told)


def clean():
    classes = [{"class": n, "rows": 20, "right": 20 - i // 3} | share(20 - i // 3, 20)
               for i, n in enumerate(CLASSES)]  # fmt: skip
    said = ((0.35, 4, 0.5), (0.55, 12, 0.42), (0.75, 24, 0.71), (0.97, 160, 0.99))
    bins = [{"confidence": c, "rows": r} | share(a * r, r) for c, r, a in said]
    kinds = ("noise", "blur", "brightness", "contrast", "jpeg", "shift")
    damage = [{"corruption": kind, "strength": s} | share(194 - s * 7 * i)
              for i, kind in enumerate(kinds) for s in (1, 3, 5)]  # fmt: skip
    slices = [{"slice": f"brightness: quarter {i + 1}", "rows": 50, "right": 50 - i}
              | share(50 - i, 50) for i in range(4)]  # fmt: skip
    return [
        finding("clean.accuracy", figures={"rows": ROWS, "right": 194, "chance": 0.1} | share(194),
                cost=Cost(queries=ROWS, calls=2), text="97.0% of the rows are answered right."),
        finding("clean.classes", "low", {"worst_class": "9", "classes": classes} | share(17, 20),
                text="Class 9 is the worst."),
        finding("clean.slices", figures={"worst_slice": "brightness: quarter 4", "slices": slices}),
        finding("clean.calibration", "low", {"ece": 0.031, "low": 0.02, "high": 0.06,
                "temperature": 1.21, "ece_after": 0.022, "bins": bins}, access="score",
                text="The confidence is off by 3.1% on average."),
        finding("clean.corruptions", "medium", {"worst_corruption": "shift, strength 5",
                "corruptions": damage} | share(100), cost=Cost(queries=18 * ROWS, calls=18),
                text="Under shift of strength 5, half of the rows stay right."),
    ]  # fmt: skip


def attack(slug, norm, strength, severity, access="label", scale=1.0, cost=None):
    """An attack that takes the more rows, the larger the radius and the strength."""
    radii = [r * scale for r in RADII]
    left = [194 * float(np.exp(-strength * r)) for r in RADII]
    by_epsilon = [{"epsilon": e} | share(n) for e, n in zip(radii, left, strict=True)]
    fine = np.linspace(0, radii[-1], 60)
    curve = [
        {"epsilon": float(e)} | share(194 * float(np.exp(-strength * e / scale))) for e in fine
    ]
    queries = np.unique(np.geomspace(1, 1000, 40).round().astype(int))
    by_queries = [
        {"epsilon": e, "queries": int(q)} | share(194 - (194 - n) * float(np.log(q) / np.log(1000)))
        for e, n in zip(radii, left, strict=True)
        for q in queries
    ]  # fmt: skip
    ids = "AML.T0043.000" if access == "gradient" else "AML.T0043.001"
    figures = {
        "norm": norm, "rows": ROWS, "attacked": 194, "succeeded": 190, "median_distance": 0.02,
        "most_queries": 1000, "by_epsilon": by_epsilon, "curve": curve, "by_queries": by_queries,
    }  # fmt: skip
    worst = slug == "worst"
    if worst:
        figures = {k: figures[k] for k in ("norm", "rows", "by_epsilon")}
    return finding(
        f"falsify.{slug}.{norm}", severity, figures, system=None if worst else slug,
        access=access, atlas=(ids, "AML.T0015"), owasp=("ML01:2023",),
        cost=cost or Cost(queries=0 if worst else 180_000, calls=0 if worst else 1000),
        artefacts={"adversarial": f"adversarial.npz:falsify.{slug}.{norm}.adversarial"},
        text=f"Of all rows {left[1] / ROWS:.1%} stay right within {radii[1]:.3g}.",
    )  # fmt: skip


def explained(slug, gain):
    figures = {
        "rows": 4, "deletion_gain": gain, "deletion_gain_low": gain - 0.05,
        "deletion_gain_high": gain + 0.05, "insertion_gain": gain + 0.1, "agreement": 0.93,
        "gap": 0.002,
    }  # fmt: skip
    return finding(f"explain.{slug}", figures=figures, system=slug, access="gradient",
                   text=f"The attributions beat a random order by {gain:.3g}.")  # fmt: skip


def proof():
    table = [{"epsilon": e, "certified": c, "broken": b, "undecided": 32 - c - b}
             for e, c, b in ((0.01, 28, 1), (0.03, 9, 6), (0.1, 0, 25))]  # fmt: skip
    return finding("prove.crown.linf", figures={"epsilon": 0.01, "rows": 32, "certified": 28,
                   "low": 0.71, "high": 0.97, "by_epsilon": table}, system="crown",
                   access="white", text="28 of 32 rows are certified at 0.01.")  # fmt: skip


def findings():
    return [
        *clean(),
        attack("pgd", "linf", 15, "high", "gradient", cost=Cost(queries=8000, gradients=8000)),
        attack("square", "linf", 9, "high", "score"),
        attack("worst", "linf", 15.5, "high", "gradient"),
        attack("pgd", "l2", 8, "medium", "gradient", scale=4),
        attack("hopskipjump", "l2", 5, "medium", scale=4),
        proof(),
        explained("integrated-gradients", 0.21),
        explained("occlusion", 0.17),
    ]


NOT_TESTED = [
    NotTested(check="falsify.geoda.l2", reason="the budget left pays no question a row"),
    NotTested(check="explain.kernelshap", reason="the time was up"),
]
MODEL = ModelFacts(
    reference="builtin:digits-cnn", access="white", spec="Image(shape=(1, 8, 8)) to 10 classes",
    fingerprint="3b0c1f5a9e", understood={"emits": {"value": "logits", "told by": "its metadata"}},
)  # fmt: skip
DATA = DataFacts(name="digits", split="test", rows=ROWS, digest="9c1e77", class_names=CLASSES)


def audit(found=None, not_tested=NOT_TESTED, **changed):
    facts = {
        "finished": True, "model": MODEL, "data": DATA, "limits": Limits(), "seed": 0,
        "plan": PlanFacts(name="standard", digest="77aa", checks=("clean.accuracy",)),
        "budget": 1_000_000, "allowed_seconds": None, "opening": Cost(queries=12, calls=1),
        "versions": {"pellucid": "0.1.0", "python": "3.11.7", "torch": "2.13.0"},
        "machine": {"cpu": "a processor", "cores": 2, "threads": 1}, "seconds": 41.7,
        "started": "2026-11-21T19:45:00+00:00",
    }  # fmt: skip
    blank = Audit(**facts | changed)
    return blank.with_findings(findings() if found is None else found, not_tested, None)


def arrays(x, y, found):
    """What the checks would have kept: changes of +-distance, and centred attributions."""
    rng = np.random.default_rng(0)
    n = len(x)
    kept = {"clean.accuracy": {"labels": y.copy()}}
    for one in found:
        if one.check.startswith("falsify") and one.system:
            distance = rng.uniform(0.02, 0.4, n).astype(np.float32)
            distance[rng.random(n) < 0.1] = np.inf
            size = np.where(np.isfinite(distance), distance, 0).reshape(n, *(1,) * (x.ndim - 1))
            moved = np.clip(x + size * rng.choice([-1, 1], x.shape), 0, 1).astype(np.float32)
            kept[one.check] = {"adversarial": moved, "distance": distance,
                               "labels_after": (y + 1 + rng.integers(0, 8, n)) % 10}  # fmt: skip
        if one.check.startswith("explain"):
            start = rng.uniform(0.8, 1, (4, 1))
            fall = start * np.exp(-np.linspace(0, 4, 17))[None]
            kept[one.check] = {
                "rows": np.arange(4), "values": (x[:4] - x[:4].mean()) * rng.uniform(0.5, 1),
                "deletion": fall, "insertion": fall[:, ::-1],
                "deletion_random": start * np.linspace(1, 0, 17)[None],
                "insertion_random": start * np.linspace(0, 1, 17)[None],
            }  # fmt: skip
    return kept


def digits():
    data = load("digits", "test")
    return data.x[:ROWS].numpy(), data.y[:ROWS].numpy()


def made(found=None, x=None, y=None, class_names=CLASSES, kept=None, **changed):
    """A whole audit of digits, or of what is given."""
    found = findings() if found is None else found
    if x is None:
        x, y = digits()
    told, held = asdict(audit(found, **changed)), arrays(x, y, found if kept is None else kept)
    return Made(document=told, arrays=held, x=x, y=y, class_names=class_names)


def many(count):
    """An audit with so many findings, each with its curves."""
    levels = ("none", "low", "medium", "high", "critical")
    found = findings()
    first = len(found)
    for i in range(count - first):
        found.append(attack(f"method-{i}", ("linf", "l2")[i % 2], 1 + i / 50, levels[i % 5]))
    return made(found, kept=found[:first])
