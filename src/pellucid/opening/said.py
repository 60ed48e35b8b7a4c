"""Facts that stand in a file: `NAME.pellucid.toml` beside the model, or naming it."""

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

from pellucid.errors import UserError
from pellucid.methods import from_json
from pellucid.opening.facts import Facts

ENDING = ".pellucid.toml"


class BadFacts(UserError):
    """A file of facts cannot be used as it stands."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a file of facts says."""

    path: Path
    facts: Facts
    model: str | None  # the reference of the model, where the file names one


def beside(reference: str) -> Said | None:
    """The facts that lie beside a model's file (or in its folder), if there are any.

    They are `NAME.pellucid.toml` for `NAME.onnx` or code@NAME.safetensors, or else
    `model.pellucid.toml`.
    """
    path = Path(reference.partition("@")[2] or reference.removeprefix("hf:"))
    folder = path if path.is_dir() else path.parent
    if not path.exists():
        return None
    for name in (f"{path.stem}{ENDING}", f"model{ENDING}"):
        if (folder / name).is_file():
            return read(folder / name)
    return None


def read(path: str | Path) -> Said:
    """The facts in a TOML file, and the model that it names: a path is taken from its folder.

    Raises:
        BadFacts: there is no such file, it is no TOML, or it says what no fact is.
    """
    path = Path(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        model = table.pop("model", None)
        facts = from_json(Facts, json.dumps(table))
    except FileNotFoundError:
        raise BadFacts(f"There is no file at {path}: check the path.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError) as error:
        raise BadFacts(f"{path} cannot be read as TOML ({error}): mend it.") from error
    except UserError as error:
        raise BadFacts(f"In {path}: {error}") from error
    if not (model is None or isinstance(model, str)):
        raise BadFacts(f"In {path}, model must be a reference in quotes, not {model!r}.")
    if model is not None and (path.parent / model).exists():
        model = str(path.parent / model)
    return Said(path=path, facts=facts, model=model)
