"""Opens the pretrained networks of timm: `timm:NAME`."""

from dataclasses import replace
from functools import partial
from importlib import import_module
from types import ModuleType

import torch
from torch import nn

from pellucid.opening.facts import Facts
from pellucid.opening.found import Found, NoModel
from pellucid.opening.loaders._guests import hosting
from pellucid.opening.loaders.downloads import fetched
from pellucid.opening.loaders.preprocessor import image_facts

WEIGHTS = "model.safetensors"


def load(reference: str, told: Facts) -> Found:
    """The network of that name in timm, with its weights from the hub.

    timm reads safetensors where the hub has them, and else pickles; here it is given the
    safetensors file and nothing else. What follows the import of timm was written from its
    sources and was never run: timm needs torchvision, which cannot be imported beside the CPU
    build of torch that the tests use.

    Raises:
        NoModel: timm is not installed or cannot be imported, or has no such classifier.
        NoDownload: the hub cannot be reached, and the weights are not in its cache.
    """
    name = reference.removeprefix("timm:")
    timm = _timm()
    with hosting(partial(_refused, name)) as heard, torch.random.fork_rng(devices=[]):
        entry = timm.get_pretrained_cfg(name)
        if entry is None or not entry.hf_hub_id or entry.num_classes < 2:
            raise NoModel(
                f"timm has no trained classifier '{name}' on the hub: choose one of "
                "timm.list_pretrained()."
            )
        file = fetched(entry.hf_hub_id, (WEIGHTS,)) / WEIGHTS
        if not file.is_file():
            raise NoModel(f"The hub has no {WEIGHTS} of timm's '{name}': choose another network.")
        model: nn.Module = timm.create_model(
            name,
            pretrained=True,
            pretrained_cfg_overlay={"file": str(file), "custom_load": False},
        )
    settings = {"image_mean": [*entry.mean], "image_std": [*entry.std]}
    return Found(
        model=model,
        by="timm's entry of the network",
        facts=replace(image_facts(settings, told), emits="logits"),
        takes=tuple(entry.input_size),
        outputs=entry.num_classes,
        notes=tuple(f"{line}." for line in heard),
    )


def _timm() -> ModuleType:
    with hosting(_broken):
        try:
            return import_module("timm")
        except ModuleNotFoundError as error:
            if error.name != "timm":
                raise  # it is there, and lacks another
            raise NoModel(f"timm is not installed: {_install()}.") from error


def _broken(how: str) -> NoModel:
    return NoModel(f"timm is installed, but cannot be imported ({how}): {_install()}.")


def _install() -> str:
    torch_version = torch.__version__
    return f"run `pip install timm`, with the torchvision that belongs to torch {torch_version}"


def _refused(name: str, how: str) -> NoModel:
    return NoModel(f"timm cannot make '{name}' ({how}): choose one of timm.list_pretrained().")
