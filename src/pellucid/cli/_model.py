"""What the commands that open a model share: its options, and how their numbers are read."""

from typing import Annotated, Literal

import typer

from pellucid.errors import UserError

# These words have their home beside torch, which no listing of commands should wait for; the type
# checker sees to it that they are the same.
Access = Annotated[
    Literal["none", "label", "score", "grad", "white"] | None,
    typer.Option(help="What may be seen of the model; unless given, the least that will do."),
]
Emits = Annotated[
    Literal["logits", "probabilities", "label", "values"] | None,
    typer.Option(help="What the model puts out; unless given, its first answers decide."),
]
Layout = Annotated[
    Literal["chw", "hwc"], typer.Option(help="The order of axes that the model wants.")
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
    str, typer.Option(metavar="NUMBERS", help="Subtracted from an input: one, or one a channel.")
]
Std = Annotated[
    str, typer.Option(metavar="NUMBERS", help="Divides an input then: one, or one a channel.")
]
Shape = Annotated[
    str | None, typer.Option(metavar="NUMBERS", help="Of one input, such as 1,28,28.")
]
Seed = Annotated[int, typer.Option(help="Decides what the attacks draw.")]
Rows = Annotated[int, typer.Option(help="Take so many rows, the first ones.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")]


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
