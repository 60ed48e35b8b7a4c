"""Opens image classifiers of the hub: `hf:FOLDER`, `hf:OWNER/NAME`, `hf:OWNER/NAME@REVISION`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from logging import CRITICAL
from pathlib import Path

import torch
from torch import Tensor, nn

from pellucid.box.outputs import Emits
from pellucid.extras import extra
from pellucid.opening.facts import Facts
from pellucid.opening.found import Found, NoModel
from pellucid.opening.loaders._guests import hosting
from pellucid.opening.loaders.downloads import fetched
from pellucid.opening.loaders.hub_folder import FILES, Folder, read_folder
from pellucid.opening.loaders.preprocessor import Settings, image_facts, image_size, pair
from pellucid.opening.loaders.weights import listed


class Logits(nn.Module):
    """An image classifier of transformers that answers its logits alone."""

    def __init__(self, classifier: nn.Module, *, flips: bool) -> None:
        """Keep the classifier; `flips`: it wants the channels in the reverse order."""
        super().__init__()
        self.classifier, self.flips = classifier, flips

    def forward(self, x: Tensor) -> Tensor:
        """Logits (n, classes) of images (n, channels, height, width)."""
        return self.classifier(pixel_values=x.flip(1) if self.flips else x).logits


def load(reference: str, told: Facts) -> Found:
    """The image classifier in a folder, or of that name on the hub.

    Weights are read from safetensors alone, and used as float32; a folder that asks for code of
    its own is refused. Attention is computed step by step (transformers' eager form), so that
    it can be looked into and differentiated twice.

    Raises:
        NoModel: there is no such folder or name, or no trained image classifier in it.
        NoDownload: the hub cannot be reached, and the model is not in its cache.
    """
    name = reference.removeprefix("hf:")
    path = Path(name) if Path(name).is_dir() else fetched(name, FILES)
    folder = read_folder(path)
    loaded = _loaded(folder)
    settings = folder.preprocessor or {}
    facts = Facts() if folder.preprocessor is None else image_facts(settings, told)
    size = image_size(settings) or pair(loaded.settings.get("image_size"))
    channels = loaded.settings.get("num_channels")
    return Found(
        model=Logits(loaded.model, flips=settings.get("do_flip_channel_order") is True),
        by=f"the folder {path}",
        facts=replace(facts, emits=_emits(loaded), labels=_labels(loaded.names)),
        takes=(channels, *size) if size and isinstance(channels, int) else None,
        outputs=len(loaded.names),
        notes=(*loaded.notes, *_unsaid(folder)),
    )


@dataclass(frozen=True, kw_only=True)
class _Loaded:
    """A classifier as transformers gives it."""

    model: nn.Module
    settings: Settings  # its configuration, with what the file leaves to its defaults
    names: tuple[str, ...]  # of the classes
    notes: tuple[str, ...]


def _loaded(folder: Folder) -> _Loaded:
    """The classifier of a folder, all of whose weights stand in it."""
    with (
        hosting(partial(_refused, folder.path)) as heard,
        extra("hub", "A model of the hub"),
        torch.random.fork_rng(devices=[]),
    ):
        from transformers import AutoModelForImageClassification

        with _quiet():
            model, info = AutoModelForImageClassification.from_pretrained(
                str(folder.path),
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                attn_implementation="eager",
                dtype=torch.float32,
                ignore_mismatched_sizes=True,  # they are listed then
                output_loading_info=True,
            )
    drawn = sorted([*info["missing_keys"], *(name for name, *_ in info["mismatched_keys"])])
    if drawn:
        raise NoModel(
            f"The weights in {folder.path} lack {listed(drawn)} in the shape that the network "
            "wants, so it is no trained image classifier: train its head, or name another."
        )
    notes = [f"{line}." for line in heard]
    stored = folder.config.get("dtype", folder.config.get("torch_dtype", "float32"))
    if stored != "float32":
        notes.append(f"Its weights are stored as {stored}, and used as float32.")
    names = model.config.id2label
    return _Loaded(
        model=model,
        settings=model.config.to_dict(),
        names=tuple(str(names[number]) for number in sorted(names)),
        notes=tuple(notes),
    )


def _emits(loaded: _Loaded) -> Emits:
    problem = loaded.settings.get("problem_type")
    if problem == "multi_label_classification":
        raise NoModel(
            "This model answers several labels a row (problem_type in its config.json), and one "
            "is wanted: name a model that decides for one class."
        )
    return "values" if problem == "regression" or len(loaded.names) == 1 else "logits"


def _labels(names: Sequence[str]) -> tuple[str, ...] | None:
    """Names of the classes, each once: of equal ones all but the first get their numbers."""
    if len(names) < 2 or all(name == f"LABEL_{i}" for i, name in enumerate(names)):
        return None  # nobody named them
    return tuple(name if name not in names[:i] else f"{name} ({i})" for i, name in enumerate(names))


def _unsaid(folder: Folder) -> tuple[str, ...]:
    """What a folder without a preprocessor leaves to the user."""
    if folder.preprocessor is not None:
        return ()
    return (
        f"{folder.path} has no preprocessor_config.json, so bounds, mean and std are not known: "
        "declare them.",
    )


def _refused(path: Path, how: str) -> NoModel:
    return NoModel(
        f"transformers cannot load an image classifier from {path} ({how}): check that the folder "
        "is whole, and that the model classifies images."
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """No log and no progress bars of transformers; afterwards as they were."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
