"""Opens networks that torch saved: pickled modules, TorchScript, exported programs."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from zipfile import ZipFile, is_zipfile

import torch
import xxhash
from torch import Tensor, nn

from pellucid.opening.facts import Facts
from pellucid.opening.found import Found, NoModel
from pellucid.opening.loaders._guests import here, hosting
from pellucid.opening.loaders.program import Program, read_program
from pellucid.opening.loaders.weights import conversion


def load(reference: str, _told: Facts) -> Found:
    """The module of a TorchScript archive, or of a pickle, which runs whatever code it holds.

    The classes of a pickle are imported, from the current folder too.

    Raises:
        NoModel: the file holds no module, or cannot be loaded.
    """
    saving = "torch.save(model, path)"
    with hosting(partial(_unreadable, reference, saving)) as heard, here():
        if _is_script(reference):
            model: object = Program(torch.jit.load(reference, map_location="cpu"), _hash(reference))
            by = "the TorchScript archive"
        else:
            model = torch.load(reference, map_location="cpu", weights_only=False)
            by = "the pickled module"
    if not isinstance(model, nn.Module):
        raise NoModel(_no_module(reference, model))
    notes = (f"Opening ran what {reference} holds.", *(f"{line}." for line in heard))
    return Found(model=model, by=by, notes=notes)


def load_program(reference: str, _told: Facts) -> Found:
    """The program of a torch.export archive.

    One that was exported for a fixed number of rows is asked that many at a time.

    Raises:
        NoModel: the file is no such archive, or the program does not take one tensor and give one.
    """
    saving = "torch.export.save(torch.export.export(model.eval(), (x,)), path)"
    with hosting(partial(_unreadable, reference, saving)) as heard:
        exported = torch.export.load(reference)
    found = read_program(exported, reference, _hash(reference))
    return replace(found, notes=(*(f"{line}." for line in heard), *found.notes))


def _is_script(path: str) -> bool:
    """Whether torch.jit.save wrote the file, as torch.load sees it too."""
    if not is_zipfile(path):
        return False
    with ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _hash(path: str) -> str:
    return xxhash.xxh3_128_hexdigest(Path(path).read_bytes())


def _no_module(path: str, held: object) -> str:
    """What is said of a pickle that holds no module; weights alone are the common case."""
    if _is_weights(held):
        return _weights_alone(path, None)
    if isinstance(held, Mapping):
        for key, value in held.items():
            if isinstance(key, str) and _is_weights(value):
                return _weights_alone(path, key)
    return (
        f"{path} holds a {type(held).__name__}, not a torch module: save the module itself with "
        "torch.save(model, path)."
    )


def _is_weights(held: object) -> bool:
    return (
        isinstance(held, Mapping)
        and len(held) > 0
        and all(isinstance(value, Tensor) for value in held.values())
    )


def _weights_alone(path: str, key: str | None) -> str:
    target = Path(path).with_suffix(".safetensors")
    return (
        f"{path} holds weights alone: convert them with `{conversion(path, key)}`, and name the "
        f"code that makes the network too, as in package.module:factory@{target}."
    )


def _unreadable(path: str, saving: str, how: str) -> NoModel:
    return NoModel(f"{path} cannot be loaded ({how}): save it again with {saving}.")
