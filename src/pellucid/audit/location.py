"""A model's reference as a location that reports may show: relative, and nothing secret in it."""

import re
from pathlib import Path
from urllib.parse import quote, urlsplit


def location(reference: str, base: Path) -> str:
    """The model as a relative URI, the same on every machine.

    A path under `base` is taken from there; of one outside its last part is left. Of a URL the
    host, port and path are left, since dashboards take no scheme but that of files.

    Args:
        reference: what `pellucid.open` takes, such as "net.onnx", "package.module:factory@w.pt",
            "builtin:digits-cnn" or "https://user:word@host:8080/v2/models/signs".
        base: the folder from which relative paths are taken, as a rule the current one.
    """
    if "://" in reference:
        url = urlsplit(reference)
        shown = url.netloc.rpartition("@")[2] + url.path
    else:  # a path may stand after the door's name, or a factory's
        shown = "".join(_relative(part, base) for part in re.split(r"([:@])", reference))
    return quote(shown) or "model"


def _relative(part: str, base: Path) -> str:
    path = Path(part)
    if path.is_absolute():
        path = path.relative_to(base) if path.is_relative_to(base) else Path(path.name)
    return path.as_posix() if part else ""
