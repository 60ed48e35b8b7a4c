"""Which source files, subjects and data a claim stands on, and their digests.

The claim's file imports the method, its rivals and its helpers, so these are found from there.
"""

from pellucid import data
from pellucid.claims.claim import Claim, Digests
from pellucid.claims.following import METHOD_ROOMS, base_of, digest, reached, room

Digested = dict[str, Digests]  # what a result depends on, in groups


def hashes(claim: Claim) -> Digested:
    """Digests by what a result depends on.

    Returns:
        "method": the files of method rooms that the claim reaches; "claim": its own file and the
        private helpers beside it; "recipe": its subjects; "data": its data sets. Each maps a
        name, for files the path from the package on, to a digest.
    """
    module = claim.measure.__module__
    base = base_of(module)
    files: dict[bool, Digests] = {True: {}, False: {}}
    for name, path in sorted(reached(module).items()):
        files[room(name) in METHOD_ROOMS][path.relative_to(base).as_posix()] = digest(path)
    recipes = {f"{subject.name} seed {subject.seed}": subject.hash() for subject in claim.subjects}
    sets = {name: data.digest(name) for name in claim.data}
    return {"method": files[True], "claim": files[False], "recipe": recipes, "data": sets}


def changes(before: Digested, now: Digested) -> list[str]:
    """Where two groups of digests differ, in words."""
    return [
        f"{group} {name} {_change(name, before.get(group, {}), now.get(group, {}))}"
        for group in sorted(before.keys() | now.keys())
        for name in sorted(before.get(group, {}).keys() | now.get(group, {}).keys())
        if before.get(group, {}).get(name) != now.get(group, {}).get(name)
    ]


def _change(name: str, before: Digests, now: Digests) -> str:
    if name not in before:
        return "is new"
    return "changed" if name in now else "is gone"
