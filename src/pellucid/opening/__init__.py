"""Opening models: a reference and a few facts make a box."""

from pellucid.opening.facts import Facts
from pellucid.opening.loaders.wrapped import wrapped
from pellucid.opening.look import PROBES
from pellucid.opening.opened import Opened
from pellucid.opening.opener import open
from pellucid.opening.understand import understand

__all__ = ["PROBES", "Facts", "Opened", "open", "understand", "wrapped"]
