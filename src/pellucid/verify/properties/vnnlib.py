"""Reads VNN-LIB: a specification of what would be a counterexample, as a property."""

import gzip
import re
import zlib
from math import inf
from pathlib import Path

import torch

from pellucid.verify.properties._alternatives import All, conjunction
from pellucid.verify.properties._expressions import Form, forms, shown, wrong
from pellucid.verify.properties._sorting import Ends, Numbers, polytope, sorted_apart
from pellucid.verify.properties.property import BadProperty, Case, Property
from pellucid.verify.properties.region import Region
from pellucid.verify.properties.unsafe import Polytope, UnsafeSet

LARGEST = 2**27  # bytes of a specification, unpacked
GZIP = b"\x1f\x8b"
NAME = re.compile(r"([XY])_(0|[1-9][0-9]{0,7})")
SILENT = ("set-logic", "set-info", "set-option", "check-sat", "get-model", "exit")


def read(path: Path | str) -> Property:
    """The property in a VNN-LIB file of version 1.0, which may be packed by gzip.

    The file asserts what makes a counterexample: bounds of every input X_i, in one box or several,
    and linear inequalities of the outputs Y_j, joined by `and` and `or`. Numbers are taken as the
    nearest float64.

    Source: Demarchi et al., "Supporting standardization of neural networks verification with
    VNNLIB and CoCoNet", FoMLAS 2023; the files of VNN-COMP 2021.

    Raises:
        BadProperty: in a sentence with the line, for a file that is none, is cut short, leaves an
            input unbounded, contradicts itself, or says what is not read here.
    """
    try:
        return parse(_text(Path(path)))
    except BadProperty as error:
        raise BadProperty(f"{path}: {error}") from error


def parse(text: str) -> Property:
    """The property in a VNN-LIB text; see `read`."""
    inputs, outputs, asserted = _declared(forms(text))
    names = frozenset((*inputs, *outputs))
    always, several = conjunction(asserted, 1, names)
    boxed, common = sorted_apart(always, inputs)
    base = Ends(inputs)
    for one in boxed:
        base.narrow(one)
    found: dict[bytes, tuple[Region, list[Polytope]]] = {}
    for alternative in several:
        ins, outs = sorted_apart(alternative, inputs)
        made = polytope((*common, *outs), outputs)
        if not made:
            raise BadProperty("The file asserts nothing of the outputs: it says no property.")
        region = _box(base, ins)
        ends = torch.stack([region.low, region.high]).numpy().tobytes()
        found.setdefault(ends, (region, []))[1].append(made)
    return Property(cases=tuple(_case(region, every) for region, every in found.values()))


def _box(base: Ends, more: All) -> Region:
    ends = base.copy()
    for one in more:
        ends.narrow(one)
    return ends.region()


def _case(region: Region, polytopes: list[Polytope]) -> Case:
    """A case without the polytopes that are empty."""
    kept = tuple(each for each in polytopes if not _empty(each))
    if not kept:
        raise BadProperty(
            "The assertions of the outputs contradict each other, so that nothing could be a "
            "counterexample: correct them."
        )
    return Case(region=region, unsafe=UnsafeSet(polytopes=kept))


def _empty(constraints: Polytope) -> bool:
    """Whether two constraints of one direction leave nothing between them."""
    most: dict[tuple[float, ...], float] = {}
    for one in constraints:
        size = max(map(abs, one.coefficients))
        direction = tuple(value / size for value in one.coefficients)
        most[direction] = min(most.get(direction, inf), one.bound / size)
    opposite = {way: most.get(tuple(-value for value in way), inf) for way in most}
    return any(end < -opposite[way] for way, end in most.items())


def _declared(parts: list[Form | str]) -> tuple[Numbers, Numbers, list[Form]]:
    """The inputs and outputs with their numbers, and the formulas that are asserted."""
    found: dict[str, dict[int, str]] = {"X": {}, "Y": {}}
    asserted = []
    for part in parts:
        if isinstance(part, str):
            raise BadProperty(f"{shown(part)} stands outside of brackets: it is no VNN-LIB file.")
        if part.head == "assert":
            asserted.append(_asserted(part))
        elif part.head in ("declare-const", "declare-fun"):
            kind, number, name = _variable(part)
            if number in found[kind]:
                raise wrong(part.line, f"{name} is declared twice: remove one.")
            found[kind][number] = name
        elif part.head not in SILENT:
            raise wrong(
                part.line,
                f"the command {shown(part.head)} is not read here: give a file of VNN-LIB 1.0.",
            )
    return _numbered(found["X"], "X"), _numbered(found["Y"], "Y"), asserted


def _asserted(part: Form) -> Form:
    if len(part.parts) != 2 or not isinstance(part.parts[1], Form):
        raise wrong(part.line, "assert takes one formula in brackets: give it.")
    return part.parts[1]


def _variable(part: Form) -> tuple[str, int, str]:
    """The kind, the number and the name of what is declared."""
    words = [word for word in part.parts[1:] if isinstance(word, str)]
    match = NAME.fullmatch(words[0]) if len(words) == 2 and words[1] == "Real" else None
    if match is None:
        raise wrong(part.line, "this declares no X_i or Y_j of type Real: correct it.")
    return match[1], int(match[2]), words[0]


def _numbered(found: dict[int, str], kind: str) -> Numbers:
    if not found:
        raise BadProperty(f"The file declares no variable {kind}_0: it is no VNN-LIB file.")
    missing = next(number for number in range(len(found) + 1) if number not in found)
    if missing < len(found):
        raise BadProperty(f"The file declares {len(found)} {kind}_i, but not {kind}_{missing}.")
    return {name: number for number, name in found.items()}


def _text(path: Path) -> str:
    if not path.is_file():
        raise BadProperty("This path holds no file; give the path of a VNN-LIB file.")
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == GZIP
        with gzip.open(path) if packed else path.open("rb") as file:
            data = file.read(LARGEST + 1)
        text = data.decode("utf-8")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadProperty("The packed file is cut short or damaged: copy it again.") from error
    except UnicodeDecodeError as error:
        raise BadProperty("The file is not a text, and so no VNN-LIB file.") from error
    except OSError as error:
        raise BadProperty(f"The file cannot be read ({error.strerror}).") from error
    if len(data) > LARGEST:
        raise BadProperty(f"The file holds more than {LARGEST} bytes, which is not read.")
    return text
