"""Audits as documents, for the tests of what reads them."""

import numpy as np
from tests.audit.findings import finding

from pellucid.audit.document import Audit, DataFacts, ModelFacts, PlanFacts
from pellucid.audit.folder import write_arrays
from pellucid.audit.outputs import ARRAYS, JSON
from pellucid.audit.severity import Limits
from pellucid.ledger import Cost
from pellucid.statistics import clopper_pearson

ATTACK = "falsify.square.linf"
RADII = (0.01, 0.03, 0.1, 0.3)


def audit(findings, digest="abc", reference="net.onnx", **facts):
    """An audit of 200 rows with these findings."""
    made = Audit(
        finished=True,
        model=ModelFacts(reference=reference, access="label", spec="", fingerprint=None),
        data=DataFacts(name="rows", split=None, rows=200, digest=digest),
        plan=PlanFacts(name="quick", digest="1", checks=tuple(one.check for one in findings)),
        limits=Limits(),
        seed=0,
        budget=1000,
        allowed_seconds=None,
        opening=Cost(),
        versions={"pellucid": "1"},
        machine={},
        started="2030-01-01T00:00:00+00:00",
        seconds=1.0,
        **facts,
    )
    return made.with_findings(findings, [], None)


def clean(right, rows=200, severity="none"):
    """The finding of an accuracy."""
    low, high = map(float, clopper_pearson(right, rows))
    figures = {"rows": rows, "right": right, "accuracy": right / rows, "low": low, "high": high}
    return finding("clean.accuracy", severity, figures=figures)


def attacked(falls, radii=RADII, severity="high", check=ATTACK):
    """The finding of an attack under which rows fall at these distances."""
    robust = [int((falls > radius).sum()) for radius in radii]
    low, high = clopper_pearson(robust, len(falls))
    lines = [
        {"epsilon": e, "accuracy": k / len(falls), "low": lo, "high": hi}
        for e, k, lo, hi in zip(radii, robust, low.tolist(), high.tolist(), strict=True)
    ]
    figures = {"norm": "linf", "rows": len(falls), "by_epsilon": lines}
    return finding(check, severity, "square", figures=figures)


def falls(scale, rows=200):
    """Distances at which rows fall, the same rows nearer or farther by the scale."""
    return np.random.default_rng(0).exponential(0.1, rows) * scale


def written(folder, made, arrays=None):
    """The folder of an audit."""
    folder.mkdir(parents=True)
    (folder / JSON).write_text(made.to_json())
    if arrays is not None:
        write_arrays(folder / ARRAYS, arrays)
    return folder
