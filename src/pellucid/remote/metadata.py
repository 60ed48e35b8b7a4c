"""What an endpoint says of its model: names, types and shapes of what goes in and comes out."""

import json
from dataclasses import dataclass

from pellucid.remote.faults import BadEndpoint
from pellucid.remote.messages import TYPES
from pellucid.remote.plain import plain


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One input or output."""

    name: str
    datatype: str
    shape: tuple[int, ...]  # the axis of rows first; -1: any size


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """All that the server says; a server without settings says next to nothing."""

    name: str
    versions: tuple[str, ...] = ()
    platform: str = ""
    inputs: tuple[Slot, ...] = ()
    outputs: tuple[Slot, ...] = ()

    @classmethod
    def parse(cls, body: bytes, url: str) -> "Metadata":
        """Read a server's metadata.

        Raises:
            BadEndpoint: it is no metadata, or the model does not take one tensor of numbers.
        """
        try:
            found = _metadata(json.loads(body))
        except (ValueError, RecursionError) as error:
            raise BadEndpoint(
                f"{url} does not describe a model as the Open Inference Protocol v2 does: check "
                "the address."
            ) from error
        if len(found.inputs) > 1:
            raise BadEndpoint(
                f"{url} takes {len(found.inputs)} inputs ({_names(found.inputs)}), and only models "
                "of one input can be asked: serve it behind one that fills in the others."
            )
        if len(found.inputs) == 1:
            _check_input(found.inputs[0], url)
        return found

    def read(self, output: str | None, url: str) -> Slot | None:
        """The output that is read; None if the server does not tell its outputs.

        Raises:
            BadEndpoint: there are several and none is named, none of that name, or it is text.
        """
        if not self.outputs:
            return None
        if output is None and len(self.outputs) > 1:
            raise BadEndpoint(
                f"{url} has {len(self.outputs)} outputs ({_names(self.outputs)}): say which one "
                "to read, as in output='NAME'."
            )
        for slot in self.outputs:
            if output in (None, slot.name):
                if slot.datatype not in TYPES:
                    raise BadEndpoint(
                        f"The output {plain(slot.name)} of {url} is of type "
                        f"{plain(slot.datatype)}, which is not one of numbers: name another."
                    )
                return slot
        raise BadEndpoint(f"{url} has no output called {output}: name {_names(self.outputs)}.")


def _check_input(slot: Slot, url: str) -> None:
    if slot.datatype not in TYPES:
        raise BadEndpoint(
            f"{url} takes {plain(slot.datatype)}, and only numbers can be sent: serve a model "
            "that takes a tensor of numbers."
        )
    if len(slot.shape) > 1 and slot.shape[0] > 1:
        raise BadEndpoint(
            f"{url} takes exactly {slot.shape[0]} rows a call: serve it with a first axis of any "
            "size (-1), or of 1."
        )


def _metadata(document: object) -> Metadata:
    """ValueError if the document has another form."""
    match document:
        case {"name": str(name), **rest}:
            return Metadata(
                name=name,
                versions=tuple(str(version) for version in _list(rest.get("versions"))),
                platform=str(rest.get("platform") or ""),
                inputs=tuple(_slot(item) for item in _list(rest.get("inputs"))),
                outputs=tuple(_slot(item) for item in _list(rest.get("outputs"))),
            )
        case _:
            raise ValueError("it has no name")


def _list(value: object) -> list[object]:
    match value:
        case None:
            return []
        case [*items]:
            return items
        case _:
            raise ValueError("it is no list")


def _slot(item: object) -> Slot:
    match item:
        case {"name": str(name), "datatype": str(datatype), "shape": [*shape]} if all(
            type(size) is int for size in shape
        ):
            return Slot(name=name, datatype=datatype, shape=tuple(shape))
        case _:
            raise ValueError("it is no tensor")


def _names(slots: tuple[Slot, ...]) -> str:
    return plain(", ".join(slot.name for slot in slots))
