"""The kinds of reference that can be opened, and the loader of each."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from pellucid.opening.facts import Facts
from pellucid.opening.found import Found, NoModel, Untrusted
from pellucid.remote.terms import Terms


@dataclass(frozen=True, kw_only=True)
class Door:
    """One kind of reference; its loader is imported when it is used."""

    form: str  # what such a reference looks like
    fits: re.Pattern[str]
    loader: str  # module:function, called with the reference and the facts that are told
    unpickles: bool = False  # opening runs whatever code the file holds
    executes: bool = False  # opening runs the code that the reference names
    served: bool = False  # the loader is called with the terms too

    @property
    def file(self) -> bool:
        """Whether such a reference is the path of a file."""
        return self.form.startswith("FILE")


def _door(
    form: str,
    pattern: str,
    loader: str,
    *,
    unpickles: bool = False,
    executes: bool = False,
    served: bool = False,
) -> Door:
    return Door(
        form=form,
        fits=re.compile(pattern, re.DOTALL),
        loader=f"pellucid.opening.loaders.{loader}",
        unpickles=unpickles,
        executes=executes,
        served=served,
    )


DOORS = (
    _door("builtin:NAME", r"builtin:.*", "networks:load"),
    _door("hf:FOLDER or hf:NAME", r"hf:.+", "hub:load"),
    _door("timm:NAME", r"timm:.+", "timm:load"),
    # whatever has such a beginning: no other door may repeat what secrets it holds
    _door("http(s)://HOST/v2/models/NAME", r"[A-Za-z][\w+.-]*://.*", "endpoint:load", served=True),
    _door(
        "PACKAGE.MODULE:FACTORY[@WEIGHTS.safetensors]",
        r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*(@.+)?",
        "factory:load",
        executes=True,
    ),
    _door("FILE.onnx", r".+\.onnx", "graph:load"),
    _door("FILE.skops", r".+\.skops", "estimator:load"),
    _door("FILE.joblib or .pkl", r".+\.(joblib|pkl|pickle)", "estimator:unpickle", unpickles=True),
    _door("FILE.pt2", r".+\.pt2", "saved:load_program", unpickles=True),
    _door("FILE.pt", r".+\.(pt|pth|ts)", "saved:load", unpickles=True),
)


def door_of(reference: str) -> Door:
    """The kind of a reference; NoModel if none looks like it, or its file is not there."""
    for door in DOORS:
        if door.fits.fullmatch(reference):
            if door.file and not Path(reference).is_file():
                raise NoModel(f"There is no file at {reference}: check the path.")
            return door
    raise NoModel(_no_door(reference))


def find(reference: str, told: Facts, *, trust: bool, terms: Terms = Terms()) -> Found:
    """The model that a reference names; an endpoint is asked on these terms.

    Raises:
        NoModel: no kind of reference looks like this one, or nothing is where it points.
        Untrusted: opening would unpickle, and `trust` is not set.
    """
    door = door_of(reference)
    if door.unpickles and not trust:
        raise Untrusted(
            f"{reference} is a pickle, and opening it runs whatever code it holds: if you know "
            "where it comes from, say --trust (trust=True), or save the model as ONNX, skops or "
            "safetensors."
        )
    if terms.mapping is not None and not door.served:
        raise NoModel(
            f"A mapping describes an endpoint, and {reference} is none: leave the mapping out."
        )
    module, _, name = door.loader.partition(":")
    if door.served:
        reach: Callable[[str, Facts, Terms], Found] = getattr(import_module(module), name)
        return reach(reference, told, terms)
    load: Callable[[str, Facts], Found] = getattr(import_module(module), name)
    return load(reference, told)


def _no_door(reference: str) -> str:
    if reference.endswith(".safetensors"):
        return (
            f"{reference} holds weights alone: name the code that makes the network too, as in "
            f"package.module:factory@{reference}."
        )
    forms = ", ".join(door.form for door in DOORS)
    return (
        f"'{reference}' names no model: give one of {forms}, such as builtin:digits-cnn"
        f"{'' if Path(reference).exists() else ', and check that the file is there'}."
    )
