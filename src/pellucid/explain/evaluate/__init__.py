"""Faithfulness: how far an explanation says what the model goes by, measured on the model."""

from pellucid.explain.evaluate.deletion import Deletion
from pellucid.explain.evaluate.evaluating import evaluate
from pellucid.explain.evaluate.evaluations import Evaluated
from pellucid.explain.evaluate.insertion import Insertion
from pellucid.explain.evaluate.metric import Evaluation, Metric

__all__ = ["Deletion", "Evaluated", "Evaluation", "Insertion", "Metric", "evaluate"]
