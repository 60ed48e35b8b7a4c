"""The books: what was sent, answered and lost, by purse, each change in one transaction."""

from sqlalchemy import Connection, Update, bindparam, insert, select, text, update

from pellucid.answers.schema import PURSES, REQUESTS, SENT, State

HOLDS = PURSES.c.name == bindparam("purse")
OPEN = text("INSERT INTO purses VALUES (:name, 0, 0, 0) ON CONFLICT DO NOTHING")
SPEND = (
    update(PURSES)
    .where(HOLDS, PURSES.c.sent + PURSES.c.answered + bindparam("more") <= bindparam("budget"))
    .values(sent=PURSES.c.sent + bindparam("more"))
)
RESERVE = insert(REQUESTS).returning(REQUESTS.c.id)
END = (
    update(REQUESTS)
    .where(REQUESTS.c.state == SENT)
    .values(state=bindparam("end"))
    .returning(REQUESTS.c.purse, REQUESTS.c.rows)
)
SETTLE = END.where(REQUESTS.c.id == bindparam("request"))
BURY = END.where(REQUESTS.c.owner == bindparam("dead"))
OWNERS = select(REQUESTS.c.owner).where(REQUESTS.c.state == SENT).distinct()


def open_purse(connection: Connection, purse: str) -> None:
    """Begin the totals of a purse, if nobody has."""
    connection.execute(OPEN, {"name": purse})


def reserve(
    connection: Connection, purse: str, *, owner: int, rows: int, budget: int
) -> int | None:
    """Book a request as sent; its number, or None if the purse does not allow it.

    The one statement that raises the total sees to the budget: of two programs at once the second
    waits for the first, and is then held against what the first has left.
    """
    about = {"purse": purse, "more": rows, "budget": budget}
    if not connection.execute(SPEND, about).rowcount:
        return None
    sent = {"purse": purse, "owner": owner, "rows": rows, "state": SENT}
    return connection.execute(RESERVE, sent).scalar_one()


def settle(connection: Connection, request: int, state: State) -> None:
    """Let a request come to an end, if it is in flight."""
    _end(connection, SETTLE, {"request": request}, state)


def bury(connection: Connection, owner: int, state: State) -> None:
    """Let all that an owner has in flight come to an end."""
    _end(connection, BURY, {"dead": owner}, state)


def owners(connection: Connection) -> list[int]:
    """Who has requests in flight."""
    return [*connection.execute(OWNERS).scalars()]


def total(connection: Connection, purse: str, state: State) -> int:
    """Rows of a purse's requests in this state."""
    query = select(PURSES.c[state]).where(HOLDS)
    return connection.execute(query, {"purse": purse}).scalar_one_or_none() or 0


def _end(connection: Connection, which: Update, about: dict[str, int], state: State) -> None:
    """Bring requests to an end, and their rows from one total to another."""
    for purse, rows in connection.execute(which, {"end": state} | about).all():
        end = PURSES.c[state]
        moved = {PURSES.c.sent: PURSES.c.sent - rows, end: end + rows}
        connection.execute(update(PURSES).where(HOLDS).values(moved), {"purse": purse})
