"""A model that is asked with arrays, as a box: labels and scores, no gradients."""

from dataclasses import dataclass, field

import torch
import xxhash
from torch import Tensor

from pellucid.box.answerer import Answerer
from pellucid.box.model_box import ModelBox
from pellucid.errors import UserError
from pellucid.rows import Rows


@dataclass(eq=False, kw_only=True)
class ArrayBox(ModelBox):
    """An answerer that answers questions; grants scores (a view narrows it)."""

    model: Answerer = field(repr=False)

    def fingerprint(self) -> str | None:
        """A hash of the model and of how it is used."""
        model = self.model.fingerprint()
        if model is None:
            return None
        used = f"{self.spec.input}{self.spec.answer}{self.emits}{self.preprocessing}{self.pad}"
        return xxhash.xxh3_128_hexdigest(f"{model}{used}".encode())

    def _answer(self, x: Rows) -> Tensor:
        if not isinstance(x, Tensor):
            raise UserError(
                f"A model of this kind takes arrays, not {type(x).__name__}: "
                "open it with the shape of one input."
            )
        given = self.preprocessing(x, self.spec.dense().shape)
        out = torch.as_tensor(self.model(given.numpy(force=True)))
        # answers carry no more precision than the question: its type decides, labels apart
        return out if self.emits == "label" else out.to(x.dtype)
