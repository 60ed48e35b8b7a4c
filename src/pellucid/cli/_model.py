"""What the commands that open a model share: its options, and how their numbers are read."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import wraps
from pathlib import Path
from typing import Annotated, Literal, get_type_hints

import typer

from pellucid.errors import UserError

# These words have their home beside torch, which no listing of commands should wait for; the type
# checker sees to it that they are the same.
Access = Annotated[
    Literal["none", "label", "score", "gradient", "white"] | None,
    typer.Option(help="What may be seen of the model; unless given, the least that will do."),
]
Emits = Annotated[
    Literal["logits", "probabilities", "label", "values"] | None,
    typer.Option(help="What the model puts out; unless given, its first answers decide."),
]
Layout = Annotated[
    Literal["chw", "hwc"] | None,
    typer.Option(help="The order of axes that the model wants; chw unless it says otherwise."),
]
DType = Annotated[
    Literal[
        "float16",
        "float32",
        "float64",
        "uint8",
        "int8",
        "uint16",
        "int16",
        "uint32",
        "int32",
        "uint64",
        "int64",
    ]
    | None,
    typer.Option(help="The type of number that the model wants."),
]
Norm = Annotated[
    Literal["l2", "linf"] | None,
    typer.Option(help="How distance is measured; the method's own unless given."),
]
Bounds = Annotated[
    str | None,
    typer.Option(metavar="LOW,HIGH", help="The least and the greatest value of an input."),
]
Mean = Annotated[
    str | None,
    typer.Option(metavar="NUMBERS", help="Subtracted from an input: one, or one a channel."),
]
Std = Annotated[
    str | None,
    typer.Option(metavar="NUMBERS", help="Divides an input then: one, or one a channel."),
]
Shape = Annotated[
    str | None, typer.Option(metavar="NUMBERS", help="Of one input, such as 1,28,28.")
]
Labels = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="The classes in the order of the outputs: names joined by commas, a file with one a "
        "line, or how many there are.",
    ),
]
Output = Annotated[str | None, typer.Option(help="The output to read, where there are several.")]
Trust = Annotated[
    bool, typer.Option("--trust", help="Let files be unpickled: that runs whatever they hold.")
]
Data = Annotated[
    str | None,
    typer.Option(
        help="A data set's name, or an .npz file with x and y, a CSV or Parquet file, or a folder "
        "of images; a builtin model's own test rows unless given."
    ),
]
Target = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="The column of a table that holds the classes; unless given, y, label, target or "
        "class.",
    ),
]
RowsPerCall = Annotated[
    int, typer.Option(metavar="ROWS", help="Rows that one call carries at most.")
]
Mapping = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="The TOML file that describes an endpoint of plain JSON; see the docs."
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        metavar="VARIABLE",
        help="The environment variable that holds an endpoint's bearer token; PELLUCID_TOKEN "
        "unless given, if that is set.",
    ),
]
CallsAtOnce = Annotated[
    int,
    typer.Option(metavar="CALLS", help="Requests to an endpoint that may be under way together."),
]
CallsPerSecond = Annotated[
    float | None,
    typer.Option(metavar="CALLS", help="Requests sent to an endpoint a second, at most."),
]
AnswersIn = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|URL",
        help="Where bought answers are kept, in place of the folder's answers.sqlite: a file, or "
        "postgresql://USER@HOST:PORT/DATABASE, which programs may share.",
    ),
]
Seed = Annotated[int, typer.Option(help="Decides what the attacks draw.")]
Rows = Annotated[int, typer.Option(help="Take so many rows, the first ones.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")]


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """What the options of a command say of its model, and of the rows it is asked about."""

    emits: Emits = None
    shape: Shape = None
    bounds: Bounds = None
    mean: Mean = None
    std: Std = None
    layout: Layout = None
    dtype: DType = None
    labels: Labels = None
    output: Output = None
    trust: Trust = False
    target: Target = None
    rows_per_call: RowsPerCall = 1000
    mapping: Mapping = None
    token: Token = None
    calls_at_once: CallsAtOnce = 1
    calls_per_second: CallsPerSecond = None


def takes_model(command: Callable[..., None]) -> Callable[..., None]:
    """The command with ModelOptions' fields as options in the place of its parameter `options`."""
    signature = inspect.signature(command)
    hints = get_type_hints(ModelOptions, include_extras=True)
    flat = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=hints[field.name],
        )
        for field in fields(ModelOptions)
    ]
    kept = [p for p in signature.parameters.values() if p.name != "options"]

    @wraps(command)
    def run(**given: object) -> None:
        own = {parameter.name: given.pop(parameter.name) for parameter in kept}
        command(**own, options=replace(ModelOptions(), **given))

    parameters = [
        *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in kept),
        *flat,
    ]
    vars(run)["__signature__"] = signature.replace(parameters=parameters)
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run


class Stopped(UserError):
    """Ctrl-C, and what to do to go on."""

    exit_code = 3


def floats(option: str, text: str) -> tuple[float, ...]:
    """The numbers of an option such as --mean 0.5,0.5,0.5."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise UserError(f"{option} takes numbers joined by commas, not '{text}'.") from error


def whole(option: str, text: str) -> tuple[int, ...]:
    """The whole numbers of an option such as --shape 1,28,28."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise UserError(f"{option} takes whole numbers joined by commas, not '{text}'.") from error


def pair(option: str, text: str) -> tuple[float, float]:
    """The two numbers of an option such as --bounds 0,255."""
    numbers = floats(option, text)
    if len(numbers) != 2:
        raise UserError(f"{option} takes two numbers joined by a comma, not '{text}'.")
    return numbers[0], numbers[1]


def names(text: str) -> tuple[str, ...]:
    """The classes of --labels: cat,dog, or a file with one a line, or 10 for 0 to 9."""
    if text.isdecimal():
        return tuple(map(str, range(int(text))))
    if Path(text).is_file():
        lines = Path(text).read_text(encoding="utf-8").splitlines()
        return tuple(line.strip() for line in lines if line.strip())
    return tuple(part.strip() for part in text.split(","))
