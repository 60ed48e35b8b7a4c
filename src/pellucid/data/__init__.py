"""Data sets by name, and data that a user brings, as rows of inputs and labels."""

from pellucid.data.dataset import Column, Dataset, Split
from pellucid.data.errors import BadData
from pellucid.data.finding import find
from pellucid.data.planetoid import Citations
from pellucid.data.reading import read
from pellucid.data.registry import DATASETS, citations, describe, digest, load
from pellucid.data.source import About

__all__ = [
    "DATASETS",
    "About",
    "BadData",
    "Citations",
    "Column",
    "Dataset",
    "Split",
    "citations",
    "describe",
    "digest",
    "find",
    "load",
    "read",
]
