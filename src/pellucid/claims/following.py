"""Which source files a piece of code stands on, found by following its `import` statements.

Those inside of functions are followed too, within the code's own package and into the rooms of
methods only. The spine is left out on purpose: it is held by contracts, and every touch of it would
make every result stale.
"""

import ast
import sys
from collections.abc import Iterator
from hashlib import sha256
from importlib.util import resolve_name
from pathlib import Path

from pellucid.claims.relation import BadClaim

METHOD_ROOMS = (
    "reparam",
    "attack",
    "defend",
    "verify",
    "explain",
    "glass",
    "probe",
    "compress",
    "search",
    "train",
)


def reached(module: str) -> dict[str, Path]:
    """The module, and what it reaches among methods and the private helpers of its folder."""
    base = base_of(module)
    beside = module.rpartition(".")[0]
    files: dict[str, Path] = {}
    ahead = [module]
    while ahead:
        name = ahead.pop()
        path = _source(base, name)
        if path is None or name in files:
            continue
        files[name] = path
        ahead += [
            found
            for found in _imports(name, path)
            if room(found) in METHOD_ROOMS or found.startswith(f"{beside}._")
        ]
    return files


def base_of(module: str) -> Path:
    """The folder that holds the package of a loaded module.

    Raises:
        BadClaim: the module was not loaded from a file.
    """
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        raise BadClaim(f"The module '{module}' has no source file: put it in one.")
    path = Path(file)
    return path.parents[module.count(".") + (path.name == "__init__.py")]


def room(name: str) -> str:
    """The folder of the package that a module is in, or its own name."""
    return name.split(".")[1] if "." in name else ""


def _source(base: Path, name: str) -> Path | None:
    place = base.joinpath(*name.split("."))
    for path in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
        if path.is_file():
            return path
    return None


def _imports(name: str, path: Path) -> Iterator[str]:
    """All that the file imports, `a.b` and `a.b.c` for `from a.b import c`: c may be a module."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = resolve_name("." * node.level + (node.module or ""), package)
            yield origin
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def digest(path: Path) -> str:
    """Of the text, so that line endings do not count."""
    return sha256(path.read_text(encoding="utf-8").encode()).hexdigest()
