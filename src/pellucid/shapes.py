"""The shapes that the library speaks of, each named once."""

from jaxtyping import Bool, Float, Int
from torch import Tensor

Batch = Float[Tensor, "n *shape"]  # one input a row
Each = Float[Tensor, " n"]  # one number a row
Counts = Int[Tensor, " n"]  # one whole number a row
Labels = Int[Tensor, " n"]  # one class a row
RowNumbers = Int[Tensor, " m"]  # which rows are meant: some of n
Verdicts = Bool[Tensor, " n"]  # one yes or no a row
Draws = Float[Tensor, "k n *shape"]  # k probes for each row
LabelAnswer = Int[Tensor, "..."]  # (*probes, rows)
ScoreAnswer = Float[Tensor, "..."]  # (*probes, rows, outputs)
Answer = LabelAnswer | ScoreAnswer
Verdict = Bool[Tensor, "..."]  # (*probes, rows)
