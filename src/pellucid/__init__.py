"""Pellucid tests neural networks: it says how a model breaks, and what finding out has cost.

Importing the package imports nothing else: each public name is fetched when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the type checker's copy of _HOMES; nothing reads signatures here at run time
    from pellucid.ball import Ball
    from pellucid.errors import UserError
    from pellucid.goals import hit, misled, ordered_topk
    from pellucid.opening import open
    from pellucid.runner import run
    from pellucid.runs import Run
    from pellucid.taps import tap

__version__ = "0.1.0"

__all__ = [
    "Ball",
    "Run",
    "UserError",
    "hit",
    "misled",
    "open",
    "ordered_topk",
    "run",
    "tap",
]

_HOMES = {
    "Ball": "ball",
    "Run": "runs",
    "UserError": "errors",
    "hit": "goals",
    "misled": "goals",
    "open": "opening",
    "ordered_topk": "goals",
    "run": "runner",
    "tap": "taps",
}

_ROOMS = ("audit", "explain")


def __getattr__(name: str) -> object:
    """Import a public name from its home on first use."""
    if name in _ROOMS:
        return import_module(f"pellucid.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'pellucid' has no attribute '{name}'")
    return getattr(import_module(f"pellucid.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES, *_ROOMS])
