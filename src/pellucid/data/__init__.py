"""Data sets by name, and data that a user brings, as rows of inputs and labels."""

from pellucid.data.dataset import Dataset, Split
from pellucid.data.reading import read
from pellucid.data.registry import DATASETS, digest, load

__all__ = ["DATASETS", "Dataset", "Split", "digest", "load", "read"]
