"""What the file of a method says about it, read without running a line of it."""

import ast
import io
import tokenize
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pellucid.errors import UserError
from pellucid.systems import Row


class NoSource(UserError):
    """A row points at a class whose source cannot be read."""

    exit_code = 3


@dataclass(frozen=True, kw_only=True)
class Field:
    """One hyperparameter as its line in the class says it."""

    name: str
    type: str
    default: str | None  # as written, a constant of its file as its value; None: must be given
    comment: str  # meaning and unit


@dataclass(frozen=True, kw_only=True)
class Method:
    """The docstring and the fields of one method's class."""

    path: Path
    docstring: str
    fields: tuple[Field, ...]


def read(row: Row) -> Method:
    """Read the class of a row from its file; neither it nor torch is imported.

    Raises:
        NoSource: the module has no file, or the class does not stand in it.
    """
    module, name = row.where.split(":")
    found = _class(f"{row.package}.{module}", name)
    if found is None:
        raise NoSource(
            f"'{row.slug}' should be the class {name} in {row.package}.{module}, which is not "
            "installed or has none."
        )
    path, node, body, text = found
    return Method(
        path=path, docstring=ast.get_docstring(node) or "", fields=_all_fields(node, body, text)
    )


def _class(module: str, name: str) -> tuple[Path, ast.ClassDef, list[ast.stmt], str] | None:
    """The file, the class in it, and what else it holds; None if there is no such class."""
    try:
        spec = find_spec(module)  # runs the folders' __init__ files only
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None:
        return None
    text = Path(spec.origin).read_text(encoding="utf-8")
    body = ast.parse(text).body
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return Path(spec.origin), node, body, text
    return None


def _all_fields(node: ast.ClassDef, body: list[ast.stmt], text: str) -> tuple[Field, ...]:
    """The fields of a class, after those of the classes that it extends."""
    homes = {
        alias.name: line.module
        for line in body
        if isinstance(line, ast.ImportFrom) and line.module
        for alias in line.names
    }
    bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
    above = (_class(homes[base], base) for base in bases if base in homes)
    inherited = [_all_fields(*found[1:]) for found in above if found is not None]
    return (*sum(inherited, ()), *_fields(node, _comments(text), _constants(body)))


def _constants(body: list[ast.stmt]) -> dict[str, str]:
    """The module's constants as written: a default that names one says little by itself."""
    return {
        target.id: ast.unparse(line.value)
        for line in body
        if isinstance(line, ast.Assign)
        for target in line.targets
        if isinstance(target, ast.Name)
    }


def _fields(
    node: ast.ClassDef, comments: dict[int, str], constants: dict[str, str]
) -> tuple[Field, ...]:
    return tuple(
        Field(
            name=ast.unparse(line.target),
            type=ast.unparse(line.annotation),
            default=_default(line.value, constants),
            comment=comments.get(line.lineno, comments.get(line.end_lineno or 0, "")),
        )
        for line in node.body
        if isinstance(line, ast.AnnAssign)
    )


def _default(value: ast.expr | None, constants: dict[str, str]) -> str | None:
    if value is None:
        return None
    written = ast.unparse(value)
    return constants.get(written, written)


def _comments(text: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {
        token.start[0]: token.string.lstrip("# ")
        for token in tokens
        if token.type == tokenize.COMMENT
    }
