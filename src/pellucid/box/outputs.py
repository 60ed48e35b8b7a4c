"""What the raw outputs of a model say: labels, log-probabilities, log-odds."""

from typing import Literal

import torch
from torch import Tensor

from pellucid.errors import UserError
from pellucid.shapes import LabelAnswer, ScoreAnswer
from pellucid.spec import INVALID, LabelSet, Meaning

Emits = Literal["logits", "probabilities", "label", "values"]


def as_logits(raw: Tensor, emits: Emits, answer: Meaning) -> ScoreAnswer:
    """Raw outputs (*, outputs) as logits: log-odds of probabilities, all else as it is."""
    if emits == "label":
        raise UserError("This model emits labels alone: open it with access='label'.")
    if emits != "probabilities":
        return raw
    tiny = torch.finfo(raw.dtype).tiny
    log = raw.clamp_min(tiny).log()
    return log - (1 - raw).clamp_min(tiny).log() if isinstance(answer, LabelSet) else log


def as_labels(raw: Tensor, emits: Emits, answer: Meaning) -> LabelAnswer:
    """What the model decides: raw outputs (*, outputs) as labels."""
    if emits == "label":
        return raw.double().round().nan_to_num(INVALID, INVALID, INVALID).long()[..., 0]
    return answer.labels(as_logits(raw, emits, answer))
