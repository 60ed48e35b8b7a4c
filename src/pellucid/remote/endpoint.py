"""A served model as an answerer: arrays go out as tensors, and come back as such."""

from dataclasses import dataclass, field, replace

import numpy as np
import xxhash
from numpy.typing import NDArray

from pellucid.box.preprocessing import DType, dtype_called
from pellucid.remote.address import address
from pellucid.remote.binary import offered
from pellucid.remote.line import Reply, Request
from pellucid.remote.messages import TYPES, answer, question
from pellucid.remote.metadata import Metadata, Slot
from pellucid.remote.sender import Sender
from pellucid.remote.terms import Terms

INPUT = "input-0"  # the name of an input that the server does not name
ASK = Request(method="GET")


@dataclass(eq=False, kw_only=True)
class Endpoint:
    """A model behind the Open Inference Protocol v2, as KServe, Triton and MLServer speak it.

    A request is sent again, up to three times, after what may pass: no connection or a broken
    one, a timeout, and the statuses 429, 502, 503 and 504 (500 once, as it may stand for a fault
    of the model that comes again). Redirects are never followed. Where the server offers it,
    tensors travel as bytes, else as JSON.
    """

    url: str  # in normal form
    metadata: Metadata
    output: str | None  # the name of the output that is read; None: the only one
    raw: bool = False  # whether tensors travel as bytes
    sender: Sender = field(repr=False)

    @classmethod
    def open(cls, url: str, *, output: str | None = None, terms: Terms = Terms()) -> "Endpoint":
        """Ask a server what the model at http(s)://HOST/v2/models/NAME takes and gives.

        Args:
            url: the model's address, perhaps with /versions/VERSION.
            output: the name of the output to read, where the model has several.
            terms: the token, the limits and the patience.

        Raises:
            BadEndpoint: the address is wrong, no such model is there, it is none of one input of
                numbers and one output of numbers, or there is no token where one is named.
            EndpointDown: nobody answers.
        """
        url = address(url)
        sender = Sender(url, terms)
        metadata = Metadata.parse(sender.told(ASK).body, url)
        slot = metadata.read(output, url)
        name = output if slot is None else slot.name
        server = sender.perhaps(replace(ASK, url=url[: url.rindex("/models/")]))
        raw = server is not None and offered(server)
        return cls(url=url, metadata=metadata, output=name, raw=raw, sender=sender)

    def __call__(self, x: NDArray[np.generic], /) -> NDArray[np.generic]:
        """Raw outputs (n, outputs) or (n,) for x (n, *shape), in one request.

        Raises:
            EndpointDown: no attempt was answered.
            BadAnswer: the answer does not fit the question.
            BadEndpoint: the server refuses the question.
        """
        slot = self._input
        given = x if slot is None else x.astype(TYPES[slot.datatype])
        name = INPUT if slot is None else slot.name
        asked = question(given, name=name, output=self.output, raw=self.raw)

        def read(reply: Reply) -> NDArray[np.generic]:
            return answer(reply, rows=len(x), output=self.output, url=self.url)

        return self.sender.answered(replace(asked, path="/infer"), len(x), read)

    def fingerprint(self) -> str:
        """A hash of the address and of all that the server says of the model."""
        told = f"{self.url}\n{self.metadata}\n{self.output}"
        return xxhash.xxh3_128_hexdigest(told.encode())

    @property
    def calls(self) -> int:
        """Requests about rows that were sent, those that were sent again included."""
        return self.sender.calls

    @property
    def rows(self) -> int:
        """Rows sent in them."""
        return self.sender.rows

    @property
    def shape(self) -> tuple[int | None, ...] | None:
        """One input without the axis of rows, None for a free size; None if it is not told."""
        slot = self._input
        if slot is None or len(slot.shape) < 2:
            return None
        return tuple(size if size > 0 else None for size in slot.shape[1:])

    @property
    def dtype(self) -> DType | None:
        """The type of number that the model takes; None if it is not told, or is BOOL."""
        return None if self._input is None else dtype_called(TYPES[self._input.datatype].__name__)

    @property
    def rows_per_call(self) -> int | None:
        """How many rows a call may carry, if the server says so."""
        slot = self._input
        return None if slot is None or len(slot.shape) < 2 or slot.shape[0] < 0 else slot.shape[0]

    @property
    def outputs(self) -> int | None:
        """How many numbers the model answers a row; None if it is not told."""
        slot = self.metadata.read(self.output, self.url)
        if slot is None or len(slot.shape) > 2:
            return None
        width = slot.shape[1] if len(slot.shape) == 2 else 1
        return width if width > 0 else None

    @property
    def platform(self) -> str:
        """What serves the model, in the server's words; empty if it does not say."""
        return self.metadata.platform

    @property
    def _input(self) -> Slot | None:
        return self.metadata.inputs[0] if self.metadata.inputs else None
