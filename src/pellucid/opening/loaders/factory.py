"""Opens a network that code makes: `package.module:factory[@weights.safetensors]`."""

import importlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from operator import attrgetter
from types import ModuleType

import torch
from torch import nn

from pellucid.box.answerer import Answerer
from pellucid.naming import unknown
from pellucid.opening.facts import Facts
from pellucid.opening.found import Found, NoModel
from pellucid.opening.loaders._guests import here, hosting
from pellucid.opening.loaders.weights import load_weights, read_weights


def load(reference: str, _told: Facts) -> Found:
    """The network that a factory makes, with the weights of a file if one is given.

    The current folder can be imported from meanwhile, as with `python -m`. Torch's generator is
    seeded with 0 for the factory, so that drawn weights are the same each time, and is left as
    it was found.

    Raises:
        NoModel: in a sentence, whatever the code does, short of an interrupt by the keyboard.
    """
    code, _, weights = reference.partition("@")
    path, _, name = code.partition(":")
    stored = read_weights(weights) if weights else None  # before anybody's code runs
    with here():
        with hosting(partial(_refused, f"Importing {path} failed")) as heard, _seeded():
            found = _named(_imported(path), path, name)
        with hosting(partial(_refused, f"{code}() failed")) as warned, _seeded():
            made = found if isinstance(found, nn.Module) else _called(found, code)
    notes = [f"Opening ran the code of {path}."]
    if not isinstance(made, nn.Module):
        if weights:
            raise NoModel(f"{code} is no torch module, and takes no weights: leave @{weights} out.")
    elif stored is not None:
        notes += load_weights(made, stored, weights)
    elif any(True for _ in made.parameters()):
        notes.append(
            f"No weights were given: unless {code} loads its own, they are random (torch's seed 0)."
        )
    notes += [f"Running {code} warned: {line}." for line in (*heard, *warned)]
    return Found(model=made, by=code, notes=tuple(notes))


def _imported(path: str) -> ModuleType:
    importlib.invalidate_caches()  # a file may be younger than the last look at its folder
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{path}.".startswith(f"{error.name}."):
            raise  # the module is there, and lacks another
        raise NoModel(
            f"There is no Python module called '{error.name}' here: check the name, install it, or "
            "run from the folder that holds it."
        ) from error


def _named(module: ModuleType, path: str, name: str) -> object:
    try:
        return attrgetter(name)(module)
    except AttributeError as error:
        public = [known for known in vars(module) if not known.startswith("_")]
        if not public:
            raise NoModel(
                f"{path} defines nothing, so it has no {name}: check the name."
            ) from error
        raise unknown(f"factory in {path}", name, public) from error


def _called(factory: object, code: str) -> nn.Module | Answerer:
    if not callable(factory):
        raise NoModel(
            f"{code} is a {type(factory).__name__}: name a function that makes a torch module, or "
            "a torch module."
        )
    if needed := _needed(factory):
        raise NoModel(
            f"{code} cannot be called without {', '.join(needed)}: name a function that takes no "
            "arguments."
        )
    made = factory()
    if not isinstance(made, nn.Module | Answerer):
        raise NoModel(
            f"{code}() gave a {type(made).__name__}, not a torch module: return the module alone."
        )
    return made


def _needed(factory: Callable[..., object]) -> list[str]:
    """Names of the arguments that a call must give."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except ValueError:  # written in C: the call itself shows
        return []
    free = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in free]


def _refused(what: str, how: str) -> NoModel:
    return NoModel(f"{what} ({how}): run it in Python, and mend it.")


@contextmanager
def _seeded() -> Iterator[None]:
    """Torch's generator at seed 0; an import draws once, so a factory has its own start."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        yield
