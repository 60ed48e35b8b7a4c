"""The books are true: what was charged is what went through the model, and no row overdraws."""

import torch

from pellucid.box.protocols import WhiteBox
from pellucid.needs import Attack, needs
from pellucid.runs import UNFINISHED, Run, Status
from pellucid.testing.driving import BUDGET, attacked
from pellucid.testing.subjects import Subject, subject

BUDGETS = (0, 17, 500)


def check_ledger(method: Attack) -> None:
    """Method and judge together are charged for every row that the model saw."""
    on = subject(pad=1)
    for budget in (40, BUDGET):
        _true(method, attacked(method, on, budget=budget), on)


def check_ledger_with_padding(method: Attack) -> None:
    """Rows that fill a call up are no questions; all others are."""
    on = subject(pad=8)
    _true(method, attacked(method, on), on)


def _true(method: Attack, found: Run, on: Subject) -> None:
    """Compare the books with what the model itself has counted."""
    name = type(method).__name__
    seen = on.tally.rows - on.box.padding
    charged = int(found.queries.sum() + found.judged.sum())
    if needs(method).box is WhiteBox:  # rows share a pass of the module, rounded up
        slack = len(found) * len(on.tally.asked)
        assert seen <= charged <= seen + slack, (
            f"{name} sent {seen} rows through the model, but {charged} are on its books."
        )
        return
    assert seen == charged, (
        f"{name} sent {seen} rows through the model, but {charged} are on its books: "
        "ask through the box alone."
    )
    passes, calls = len(on.tally.asked), found.calls + found.judge_calls
    assert passes == calls, f"{name} called the model {passes} times, but {calls} are on its books."
    assert torch.equal(found.paid, found.queries), f"{name} paid for other than it asked."
    if on.box.pad == 1:  # padding goes backwards too
        backwards, booked = on.tally.gradients, int(found.gradients.sum())
        assert backwards == booked, (
            f"{name} sent {backwards} rows backwards, but {booked} gradients are on its books."
        )


def check_budgets(method: Attack) -> None:
    """Whatever the budget, no row passes it by one question, and each row gets a status."""
    on = subject()
    everyone = torch.arange(len(on.x))
    for budget in BUDGETS:
        for rows in (everyone, *everyone[:2].split(1)):
            found = attacked(method, on, rows=rows, budget=budget, where=f"on a budget of {budget}")
            asked = on.tally.rows - on.box.padding - int(found.judged.sum())
            assert asked <= budget * len(rows), (
                f"{type(method).__name__} asked {asked} questions about {len(rows)} rows "
                f"on a budget of {budget} a row."
            )
            _sensible(method, found, budget)


def _sensible(method: Attack, found: Run, budget: int) -> None:
    """Statuses agree with the books."""
    name = type(method).__name__
    books = zip(found.status, found.success.tolist(), found.queries.tolist(), strict=True)
    for row, (status, won, queries) in enumerate(books):
        told = f"Row {row} of {name}, with {queries} of {budget} queries and success {won},"
        assert queries <= budget, f"{told} has passed its budget."
        assert status not in UNFINISHED, f"{told} ends as '{status}'."
        if status is Status.SPENT:
            assert queries == budget, f"{told} ends as '{status}'."
        if status is Status.NO_START:
            assert queries > 0, f"{told} ends as '{status}'."


BOOK_CHECKS = (check_ledger, check_ledger_with_padding, check_budgets)
