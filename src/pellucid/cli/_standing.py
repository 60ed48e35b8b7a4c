"""How the claim of a system stands, in words."""

from pellucid.systems import Row

VERDICTS = {True: "holds", False: "does not hold", None: "undecided"}


def standing(row: Row) -> str:
    """What the committed result of the row's claim says; only the house's results are kept."""
    if row.claim is None:
        return "none to reproduce"
    from pellucid.claims.results import read_result  # numpy and scipy: `list` must not wait

    result = read_result(row.slug)
    if result is None:
        return "not measured yet"
    return f"{VERDICTS[result.holds]} ({len(result.seeds)} seeds)"
