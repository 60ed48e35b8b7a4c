"""The contract of explainers: what each must keep, whatever it does.

A plug-in author runs it over instances that are quick, a few hundred queries a row at most:

    @pytest.mark.parametrize("check", EXPLAINER_CHECKS, ids=lambda check: check.__name__)
    def test_contract(check):
        check(MyExplainer(samples=10))

A check raises AssertionError with a sentence that says what is wrong.
"""

from dataclasses import replace

import torch
from torch import Tensor

from pellucid.box.protocols import WhiteBox
from pellucid.explain.attribution import Explainer
from pellucid.explain.explaining import PARTS
from pellucid.explain.explanations import Explained
from pellucid.needs import needs
from pellucid.runs import Status
from pellucid.testing._explained import explained, one_by_one, rows_of, trace, tried
from pellucid.testing._explainer_conduct import EXPLAINER_CONDUCT_CHECKS
from pellucid.testing._rows import global_seed, same_rows
from pellucid.testing.driving import blaming
from pellucid.testing.subjects import Subject, pictures, subject
from pellucid.testing.values import VALUE_CHECKS

BUDGETS = (0, 17, 500)


def check_signature(method: Explainer) -> None:
    """Its call names parts that the driver supplies, and one kind of box."""
    with blaming(method, "when its signature is read"):
        needs(method, PARTS)


def check_row_alone(method: Explainer) -> None:
    """A row by itself gives the same bits, at the same cost, as among others and in batches."""
    on = pictures(rows=7)
    together = rows_of(explained(method, on))
    same_rows(method, together, one_by_one(method, on), "alone")
    for batch in (1, 3):
        same_rows(method, together, rows_of(explained(method, on, batch=batch)), "in batches")


def check_order(method: Explainer) -> None:
    """Rows in another order give the same bits at the same cost."""
    on, order = pictures(), [2, 0, 3, 1]
    whole = rows_of(explained(method, on))
    turned = rows_of(explained(method, on, rows=torch.tensor(order)))
    same_rows(method, [whole[row] for row in order], turned, "in another order")


def check_any_shape(method: Explainer) -> None:
    """One image or three are explained; rows of other shapes are, or are refused in a sentence."""
    for rows in (1, 3):
        on = pictures(rows=rows)
        _whole(method, on, explained(method, on, where=f"on {rows} rows"))
        for shape in ((7,), (2, 3, 4, 5)):
            other = subject(shape=shape, rows=rows)
            said = tried(method, other, where=f"on rows of shape {shape}")
            if said is not None:
                _whole(method, other, said)


def _whole(method: Explainer, on: Subject, said: Explained) -> None:
    """Every row is explained, in finite numbers."""
    name = type(method).__name__
    good = said.values.shape[0] == len(on.x) and set(said.status) == {Status.DONE}
    assert good, f"{name} gives {tuple(said.values.shape)} and {said.status} for {len(on.x)} rows."
    for what, numbers in (
        ("values", said.values),
        ("a gap", said.gap),
        ("an agreement", said.agreement),
    ):
        good = numbers is None or bool(numbers.isfinite().all())
        assert good, f"{name} gives {what} that are not finite."
    if said.agreement is not None:
        most = float(said.agreement.abs().max())
        assert most <= 1 + 1e-6, f"{name} gives an agreement of {most}: it is a correlation."


def check_precision(method: Explainer) -> None:
    """float32 and float64 stay what they are, whatever the model computes in."""
    for rows_in in (torch.float32, torch.float64):
        for weights_in in (torch.float32, torch.float64):
            whole = pictures(dtype=weights_in)
            on = replace(whole, x=whole.x.to(rows_in))
            said = explained(method, on, where=f"on rows in {rows_in}, weights in {weights_in}")
            kinds = {part.dtype for part in _numbers(said)}
            assert kinds == {rows_in}, (
                f"{type(method).__name__} gives {kinds} for rows in {rows_in} and weights in "
                f"{weights_in}."
            )


def _numbers(said: Explained) -> list[Tensor]:
    return [part for part in (said.values, said.gap, said.agreement) if part is not None]


def check_same_seed(method: Explainer) -> None:
    """One seed gives the same bits, whatever the global generators have drawn."""
    found = []
    for elsewhere in (1, 2):
        with global_seed(elsewhere):
            found.append(trace(method))
    assert found[0] == found[1], (
        f"{type(method).__name__} gives other bits under the same seed: draw from rng alone."
    )


def check_other_seed(method: Explainer) -> None:
    """A method that takes rng says something else under another seed."""
    if "rng" in needs(method, PARTS).names:
        on = pictures()
        one, other = (rows_of(explained(method, on, seed=seed)) for seed in (0, 1))
        assert one != other, f"{type(method).__name__} does the same under another seed."


def check_ledger(method: Explainer) -> None:
    """What is on the books is what went through the model, padding apart."""
    name, wanted = type(method).__name__, needs(method, PARTS).box
    for pad in (1, 8):
        on = pictures(pad=pad)
        said = explained(method, on)
        seen, charged = on.tally.rows - on.box.padding, int(said.queries.sum())
        assert seen == charged, (
            f"{name} sent {seen} rows through the model, but {charged} are on its books: "
            "ask through the box alone."
        )
        passes = len(on.tally.asked)
        assert passes == said.calls, (
            f"{name} called the model {passes} times, but {said.calls} are on its books."
        )
        assert torch.equal(said.paid, said.queries), f"{name} paid for other than it asked."
        if pad == 1:  # padding goes backwards too
            backwards, booked = on.tally.gradients, int(said.gradients.sum())
            ends_at_a_layer = wanted is WhiteBox and backwards < booked
            assert backwards == booked or ends_at_a_layer, (
                f"{name} sent {backwards} rows backwards, but {booked} gradients are on its books."
            )


def check_budgets(method: Explainer) -> None:
    """No row passes its budget by a question; what is too little is refused in a sentence."""
    name, on = type(method).__name__, pictures()
    due = rows_of(explained(method, on))
    for budget in BUDGETS:
        said = tried(method, on, budget=budget, where=f"on a budget of {budget}")
        assert on.tally.rows <= budget * len(on.x), (
            f"{name} asked {on.tally.rows} questions about {len(on.x)} rows on a budget of "
            f"{budget} a row."
        )
        if said is not None:
            over = int(said.queries.max())
            assert over <= budget, f"{name} asks {over} questions a row on a budget of {budget}."
            done = [row for row, end in enumerate(said.status) if end is Status.DONE]
            same_rows(
                method,
                [due[row] for row in done],
                [rows_of(said)[row] for row in done],
                f"on a budget of {budget} that was enough",
            )


EXPLAINER_CHECKS = (
    *VALUE_CHECKS,
    check_signature,
    check_row_alone,
    check_order,
    check_any_shape,
    check_precision,
    check_same_seed,
    check_other_seed,
    check_ledger,
    check_budgets,
    *EXPLAINER_CONDUCT_CHECKS,
)
