"""Sorts inequalities into boxes of inputs and polytopes of outputs."""

from math import inf

import torch

from pellucid.verify.properties._alternatives import All
from pellucid.verify.properties._expressions import wrong
from pellucid.verify.properties._linear import Inequality
from pellucid.verify.properties.property import BadProperty
from pellucid.verify.properties.region import Region
from pellucid.verify.properties.unsafe import Constraint, Polytope

Numbers = dict[str, int]  # variables and their numbers


class Ends:
    """The ends of a box while it is narrowed, and the lines that they come from."""

    def __init__(self, names: Numbers) -> None:
        """No ends yet."""
        self.names = names
        self.low, self.high = [-inf] * len(names), [inf] * len(names)
        self.low_line, self.high_line = [0] * len(names), [0] * len(names)

    def copy(self) -> "Ends":
        """The same ends, to be narrowed apart."""
        other = Ends(self.names)
        other.low, other.high = self.low.copy(), self.high.copy()
        other.low_line, other.high_line = self.low_line.copy(), self.high_line.copy()
        return other

    def narrow(self, inequality: Inequality) -> None:
        """Take account of an inequality of one input."""
        if len(inequality.terms) > 1:
            raise wrong(
                inequality.line,
                "inputs are compared with each other: bound each input by numbers.",
            )
        ((name, scale),) = inequality.terms.items()
        place, end = self.names[name], inequality.bound / scale
        if scale > 0 and end < self.high[place]:
            self.high[place], self.high_line[place] = end, inequality.line
        if scale < 0 and end > self.low[place]:
            self.low[place], self.low_line[place] = end, inequality.line

    def region(self) -> Region:
        """The box.

        Raises:
            BadProperty: an input has no end, or its lower end lies above its upper end.
        """
        for name, place in self.names.items():
            low, high = self.low[place], self.high[place]
            if high == inf or low == -inf:
                side = "upper" if high == inf else "lower"
                raise BadProperty(f"The input {name} has no {side} bound: assert one.")
            if low > high:
                lines = sorted((self.low_line[place], self.high_line[place]))
                raise wrong(
                    lines[1],
                    f"the input {name} must be at least {low:g} and at most {high:g} (see line "
                    f"{lines[0]}), which contradict: correct one.",
                )
        return Region(
            low=torch.tensor(self.low, dtype=torch.float64),
            high=torch.tensor(self.high, dtype=torch.float64),
        )


def sorted_apart(found: All, inputs: Numbers) -> tuple[All, All]:
    """Those of inputs and those of outputs; what is always true is left out.

    Raises:
        BadProperty: one speaks of both, or of nothing and is false.
    """
    ins, outs = [], []
    for one in found:
        kinds = {name in inputs for name in one.terms}
        if len(kinds) > 1:
            raise wrong(one.line, "inputs and outputs stand in one inequality: assert them apart.")
        if not kinds and one.bound < 0:
            raise wrong(one.line, "this can never hold, so the assertions contradict: correct it.")
        if kinds:
            (ins if True in kinds else outs).append(one)
    return tuple(ins), tuple(outs)


def polytope(found: All, outputs: Numbers) -> Polytope:
    """Inequalities of outputs as constraints."""
    made = []
    for one in found:
        coefficients = [0.0] * len(outputs)
        for name, value in one.terms.items():
            coefficients[outputs[name]] = value
        made.append(Constraint(coefficients=tuple(coefficients), bound=one.bound))
    return tuple(made)
