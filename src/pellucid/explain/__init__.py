"""Explanations: why a model answers as it does, and what finding out has cost."""

from pellucid.explain.attribution import Attribution, Explainer
from pellucid.explain.explaining import explain
from pellucid.explain.explanations import Explained
from pellucid.explain.targets import Target, label, labels, outputs

__all__ = [
    "Attribution",
    "Explained",
    "Explainer",
    "Target",
    "explain",
    "label",
    "labels",
    "outputs",
]
