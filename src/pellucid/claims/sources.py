"""Which source files a claim stands on, and their digests.

The claim's file imports the method, its rivals and its helpers, so these are found by following
its `import` statements, those inside of functions too, within its own package. The spine is left
out on purpose: it is held by contracts, and every touch of it would make every result stale.
"""

import ast
import sys
from collections.abc import Iterator
from hashlib import sha256
from importlib.util import resolve_name
from pathlib import Path

from pellucid import data
from pellucid.claims.claim import Claim, Digests
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
Digested = dict[str, Digests]  # what a result depends on, in groups


def hashes(claim: Claim) -> Digested:
    """Digests by what a result depends on.

    Returns:
        "method": the files of method rooms that the claim reaches; "claim": its own file and the
        private helpers beside it; "recipe": its subjects; "data": its data sets. Each maps a
        name, for files the path from the package on, to a digest.
    """
    module = claim.measure.__module__
    base = _base(module)
    files: dict[bool, Digests] = {True: {}, False: {}}
    for name, path in sorted(_reached(module, base).items()):
        files[_room(name) in METHOD_ROOMS][path.relative_to(base).as_posix()] = _digest(path)
    recipes = {f"{subject.name} seed {subject.seed}": subject.hash() for subject in claim.subjects}
    sets = {name: data.digest(name) for name in claim.data}
    return {"method": files[True], "claim": files[False], "recipe": recipes, "data": sets}


def changes(before: Digested, now: Digested) -> list[str]:
    """Where two groups of digests differ, in words."""
    return [
        f"{group} {name} {_change(name, before.get(group, {}), now.get(group, {}))}"
        for group in sorted(before.keys() | now.keys())
        for name in sorted(before.get(group, {}).keys() | now.get(group, {}).keys())
        if before.get(group, {}).get(name) != now.get(group, {}).get(name)
    ]


def _reached(module: str, base: Path) -> dict[str, Path]:
    """The module, and what it reaches among methods and the private helpers of its folder."""
    beside = module.rpartition(".")[0]
    reached: dict[str, Path] = {}
    ahead = [module]
    while ahead:
        name = ahead.pop()
        path = _source(base, name)
        if path is None or name in reached:
            continue
        reached[name] = path
        ahead += [
            found
            for found in _imports(name, path)
            if _room(found) in METHOD_ROOMS or found.startswith(f"{beside}._")
        ]
    return reached


def _base(module: str) -> Path:
    """The folder that holds the package of a loaded module."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        raise BadClaim(f"The claim of module '{module}' has no source file: put it in one.")
    path = Path(file)
    return path.parents[module.count(".") + (path.name == "__init__.py")]


def _room(name: str) -> str:
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


def _digest(path: Path) -> str:
    """Of the text, so that line endings do not count."""
    return sha256(path.read_text(encoding="utf-8").encode()).hexdigest()


def _change(name: str, before: Digests, now: Digests) -> str:
    if name not in before:
        return "is new"
    return "changed" if name in now else "is gone"
