"""What looks wrong in how a model is used, as rows of labelled data show it."""

from pellucid.opening.doubts.doubt import Doubt, updated
from pellucid.opening.doubts.examination import Examination, doubts

__all__ = ["Doubt", "Examination", "doubts", "updated"]
