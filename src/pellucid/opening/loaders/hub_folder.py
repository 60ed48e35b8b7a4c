"""Reads what a model's folder from the hub says of it; plain JSON, nothing is executed."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pellucid.opening.found import NoModel

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"  # where they are split into several files
PART = re.compile(r"[\w.-]+\.safetensors")
FILES = ("config.json", "preprocessor_config.json", "model*.safetensors", INDEX)

Table = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Folder:
    """The two descriptions in a model's folder."""

    path: Path
    config: Table
    preprocessor: Table | None  # None: there is no such file


def read_folder(path: Path) -> Folder:
    """The descriptions in a folder that holds safetensors and asks for no foreign code.

    Raises:
        NoModel: a file is missing or no JSON, the weights are pickled, or the configuration asks
            for code or kernels from elsewhere.
    """
    config = _table(path / "config.json")
    if config is None:
        raise NoModel(f"{path} has no config.json: give a folder that save_pretrained wrote.")
    _check_weights(path)
    for asked in _foreign(config):
        raise NoModel(
            f"The config.json in {path} asks for {asked}, and a model's own code is not run from "
            "here: export the model to ONNX, or name code of yours that makes it, as in "
            "package.module:factory."
        )
    return Folder(path=path, config=config, preprocessor=_table(path / "preprocessor_config.json"))


def _table(path: Path) -> Table | None:
    if not path.is_file():
        return None
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise NoModel(f"{path} cannot be read as JSON ({error}): mend it.") from error
    if not isinstance(table, dict):
        raise NoModel(f"{path} holds no table of settings: mend it.")
    return table


def _check_weights(path: Path) -> None:
    if (path / WEIGHTS).is_file():
        return
    parts = _table(path / INDEX)
    if parts is None:
        raise NoModel(_no_weights(path))
    places = parts.get("weight_map")
    files = {*map(str, places.values())} if isinstance(places, dict) else {""}
    if strange := [name for name in files if not PART.fullmatch(name)]:
        raise NoModel(
            f"{path / INDEX} names {strange[0]!r} as a file of weights, where files beside it that "
            "end in .safetensors are due: save the model again with save_pretrained."
        )


def _no_weights(path: Path) -> str:
    if not (path / "pytorch_model.bin").is_file():
        return f"{path} holds no {WEIGHTS}: save the model there with save_pretrained."
    return (
        f"The weights in {path} are pickled, and safetensors alone are read: convert them with "
        "`from transformers import AutoModelForImageClassification as M; "
        f"M.from_pretrained({str(path)!r}).save_pretrained({str(path)!r})`."
    )


def _foreign(settings: object) -> Iterator[str]:
    """What a configuration would fetch or run beside the library's own code."""
    if isinstance(settings, list):
        for part in settings:
            yield from _foreign(part)
    if not isinstance(settings, dict):
        return
    for key, value in settings.items():
        if key == "auto_map":
            yield "code of its own (auto_map)"
        elif key == "quantization_config":
            yield "another library's kernels (quantization_config)"
        elif key.endswith("_implementation") and "/" in str(value):
            yield f"kernels from the hub ({key})"
        yield from _foreign(value)
