"""A plain JSON endpoint as an answerer, asked and read as a mapping says."""

from dataclasses import dataclass, field

import numpy as np
import orjson
import xxhash
from numpy.typing import NDArray

from pellucid.remote.address import address
from pellucid.remote.faults import BadAnswer
from pellucid.remote.line import Reply, Request
from pellucid.remote.mapping import Mapping
from pellucid.remote.messages import converted, parsed
from pellucid.remote.plain import plain
from pellucid.remote.pointer import found, placed
from pellucid.remote.sender import Sender
from pellucid.remote.terms import Terms
from pellucid.spec import BadQuestion

MOST_LABELS = 2**31

Array = NDArray[np.generic]


@dataclass(eq=False, kw_only=True)
class Mapped:
    """A model that takes and gives JSON of its own form.

    It is asked as an endpoint of the Open Inference Protocol is: the same token, limits and
    patience, and answers that are checked.
    """

    url: str  # in normal form
    mapping: Mapping
    sender: Sender = field(repr=False)

    @classmethod
    def open(cls, url: str, mapping: Mapping, terms: Terms = Terms()) -> "Mapped":
        """Make ready to ask the endpoint at `url`; nothing is sent yet.

        Raises:
            BadEndpoint: the address is wrong, or there is no token where one is named.
        """
        url = address(url, mapped=True)
        return cls(url=url, mapping=mapping, sender=Sender(url, terms))

    def __call__(self, x: NDArray[np.generic], /) -> NDArray[np.generic]:
        """Raw outputs (n, outputs) or (n,) for x (n, *shape): one request, or one a row.

        Raises:
            EndpointDown: no attempt was answered.
            BadAnswer: the answer does not fit the mapping.
            BadEndpoint: the server refuses the question.
        """
        if not np.isfinite(x).all():
            raise BadQuestion("A row holds a number that is not finite, which JSON cannot carry.")
        if self.mapping.batch:
            return self._ask(x)
        return np.concatenate([self._ask(row[None]) for row in x])

    def fingerprint(self) -> str:
        """A hash of the address and of the mapping, which is all that is known of the model."""
        return xxhash.xxh3_128_hexdigest(f"{self.url}\n{self.mapping}".encode())

    def _ask(self, x: Array) -> Array:
        """One request."""
        mapping = self.mapping
        items = [placed({}, mapping.row, np.ascontiguousarray(row)) for row in x]
        value = items if mapping.batch else items[0]
        body = placed(mapping.body, mapping.rows, value)
        request = Request(
            method=mapping.method,
            path=mapping.path,
            content=orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY),
            headers={"content-type": "application/json"},
        )
        return self.sender.answered(request, len(x), lambda reply: self._read(reply, len(x)))

    def _read(self, reply: Reply, rows: int) -> Array:
        try:
            return _numbers(parsed(reply.body), rows, self.mapping)
        except ValueError as error:
            raise BadAnswer(
                f"{self.url} answered {rows} rows with what does not fit the mapping ({error}): "
                "mend the mapping, or see that the address is the right one."
            ) from error


def _numbers(document: object, rows: int, mapping: Mapping) -> Array:
    """The answers (rows, outputs) or (rows,); ValueError says what is not where it should be."""
    items = [found(document, mapping.answers)]
    if mapping.batch:
        items = _list(items[0], rows, mapping.answers)
    if mapping.label is not None:
        labels = [_label(found(item, mapping.label), mapping) for item in items]
        return np.array(labels, dtype=np.int64)
    pointer = mapping.scores or ""
    scores = [_scores(found(item, pointer), mapping) for item in items]
    if len({len(one) for one in scores}) > 1:
        raise ValueError(f"the rows have different numbers of scores at {pointer or 'their items'}")
    flat = converted([number for one in scores for number in one], np.float64)
    return flat.reshape(rows, -1)


def _list(value: object, rows: int, pointer: str) -> list[object]:
    where = pointer or "the top"
    match value:
        case [*items] if len(items) == rows:
            return items
        case [*items]:
            raise ValueError(f"the list at {where} has {len(items)} items")
        case _:
            raise ValueError(f"no list stands at {where}")


def _label(value: object, mapping: Mapping) -> int:
    """The number of a class that is named or numbered."""
    names = mapping.labels or ()
    match value:
        case str() if value in names:
            return names.index(value)
        case str():
            raise ValueError(f"'{plain(value)}' is none of the labels {plain(', '.join(names))}")
        case int() | float() if type(value) is not bool and _is_label(value):
            return int(value)
        case _:
            raise ValueError(f"no label stands at {mapping.label or 'the item of a row'}")


def _is_label(value: int | float) -> bool:
    return 0 <= value < MOST_LABELS and value == int(value)


def _scores(value: object, mapping: Mapping) -> list[object]:
    """The scores of a row in the order of the classes."""
    match value:
        case [*scores] if scores:
            return scores
        case dict() if mapping.labels is not None and {*value} == {*mapping.labels}:
            return [value[name] for name in mapping.labels]
        case dict():
            raise ValueError(
                f"the scores are called {plain(', '.join(map(str, value))) or 'nothing'}, and the "
                f"mapping's labels are {plain(', '.join(mapping.labels or ())) or 'not given'}"
            )
        case int() | float():
            return [value]
        case _:
            raise ValueError(f"no scores stand at {mapping.scores or 'the item of a row'}")
