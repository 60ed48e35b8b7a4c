"""Staleness: what a committed result depends on and has changed since."""

from importlib import import_module

from pellucid.claims.claim import Claim
from pellucid.claims.relation import BadClaim
from pellucid.claims.results import Result
from pellucid.claims.sources import changes, hashes
from pellucid.systems import Row


def load_claim(row: Row) -> Claim:
    """Import the claim of a row.

    Raises:
        BadClaim: the row has no claim, its claim is of another slug, or the claim's file does not
            import the method, so that a change of it would go unseen.
    """
    if row.claim is None:
        raise BadClaim(f"'{row.slug}' has no claim to reproduce.")
    module, name = row.claim.split(":")
    claim: Claim = getattr(import_module(f"{row.package}.{module}"), name)
    if claim.slug != row.slug:
        raise BadClaim(f"The claim of row '{row.slug}' says that it is '{claim.slug}': rename it.")
    method = f"{row.package}.{row.where.split(':')[0]}".replace(".", "/")
    if not {f"{method}.py", f"{method}/__init__.py"} & hashes(claim)["method"].keys():
        raise BadClaim(f"The claim of '{row.slug}' does not import {method}.py: it must.")
    return claim


def stale(result: Result, row: Row) -> list[str]:
    """Why a result no longer speaks of the code as it is; empty when it does.

    Returns:
        One phrase a change, such as "method pellucid/attack/evade/pgd.py changed".
    """
    return changes(result.hashes, hashes(load_claim(row)))
