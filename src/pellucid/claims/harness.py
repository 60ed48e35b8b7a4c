"""The harness: drives a claim seed by seed, keeps what is finished, and judges the relations."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from math import fsum
from pathlib import Path
from time import perf_counter

import numpy as np

from pellucid.claims import _checkpoint
from pellucid.claims.claim import Claim, Measurement, Pair
from pellucid.claims.relation import BadClaim, Hypothesis, Relation, judge
from pellucid.claims.results import Result, verdict
from pellucid.claims.sources import Digested, hashes
from pellucid.errors import UserError
from pellucid.machine import machine, versions


class BadSeeds(UserError):
    """Seeds that cannot be run."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a claim stands; told before each seed and after the last."""

    slug: str
    done: int  # seeds finished, those of a checkpoint included
    total: int
    seconds: float  # spent on the finished seeds


def reproduce(
    claim: Claim,
    *,
    seeds: int | None = None,
    first: int | None = None,
    quick: bool = False,
    checkpoint: Path | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Result:
    """Measure a claim and judge its relations.

    Whatever a measurement raises, Ctrl-C included, goes on to the caller; the seeds finished by
    then are in the checkpoint, and the same call with the same checkpoint goes on from there.

    Args:
        claim: what to reproduce.
        seeds: how many; the card's number, or one in a quick run, unless given.
        first: the first seed; they count up from it, from 0 unless given.
        quick: one seed in at most three minutes, which decides nothing.
        checkpoint: a file for the finished seeds; it is left in place.
        progress: called before each seed and after the last.

    Raises:
        BadSeeds: no seed, a negative one, or several in a quick run.
        BadClaim: a measurement is not what the claim declares.
        BadCheckpoint: the checkpoint was made by other sources, versions or settings.
    """
    chosen = _chosen(claim, seeds, first, quick)
    digests = hashes(claim)
    key = checkpoint_key(digests, quick=quick)
    finished = {} if checkpoint is None else _checkpoint.load(checkpoint, key)
    for seed in chosen:
        if seed in finished:
            continue
        _tell(progress, claim, chosen, finished)
        start = perf_counter()
        measured = claim.measure(seed, quick)
        seconds = perf_counter() - start
        finished[seed] = (seconds, _checked(claim, measured, seed, quick))
        if checkpoint is not None:
            _checkpoint.save(checkpoint, key, finished)
    _tell(progress, claim, chosen, finished)
    relations = tuple(
        _relation(hypothesis, [finished[seed][1] for seed in chosen])
        for hypothesis in claim.hypotheses
        if hypothesis.name in finished[chosen[0]][1]
    )
    return Result(
        slug=claim.slug,
        title=claim.title,
        holds=verdict(relations),
        quick=quick,
        relations=relations,
        seeds=chosen,
        seconds=tuple(finished[seed][0] for seed in chosen),
        versions=versions(),
        machine=machine(),
        hashes=digests,
    )


def checkpoint_key(digests: Digested, *, quick: bool) -> Digested:
    """All that must be as it was for finished seeds to count."""
    return digests | {"version of": versions(), "run": {"quick": str(quick)}}


def checkpoint_path(claim: Claim, folder: Path, *, quick: bool) -> Path:
    """Where a claim's finished seeds are kept: another file for other code, data or versions."""
    key = repr(checkpoint_key(hashes(claim), quick=quick)).encode()
    return folder / f"{claim.slug}-{sha256(key).hexdigest()[:16]}.json"


def _chosen(claim: Claim, seeds: int | None, first: int | None, quick: bool) -> tuple[int, ...]:
    count = seeds if seeds is not None else 1 if quick else claim.seeds
    start = 0 if first is None else first
    if count < 1 or start < 0:
        raise BadSeeds("Seeds count up from 0 or more, and there must be at least one of them.")
    if quick and count > 1:
        raise BadSeeds(f"A quick run has one seed, not {count}: leave out one of the two options.")
    return tuple(range(start, start + count))


def _tell(
    progress: Callable[[Progress], None] | None,
    claim: Claim,
    chosen: tuple[int, ...],
    finished: _checkpoint.Finished,
) -> None:
    if progress is not None:
        spent = [finished[seed][0] for seed in chosen if seed in finished]
        progress(Progress(slug=claim.slug, done=len(spent), total=len(chosen), seconds=fsum(spent)))


def _checked(claim: Claim, measured: Measurement, seed: int, quick: bool) -> Measurement:
    """The measurement with plain numbers, if it is what the claim declares."""
    declared = {hypothesis.name: hypothesis for hypothesis in claim.hypotheses}
    unknown = measured.keys() - declared.keys()
    missing = declared.keys() - measured.keys()
    if unknown:
        raise BadClaim(f"Claim '{claim.slug}' declares no relation '{min(unknown)}': add it.")
    if missing and not (quick and measured):
        raise BadClaim(f"Claim '{claim.slug}' did not measure '{min(missing)}' at seed {seed}.")
    return {name: _numbers(declared[name], pair, seed) for name, pair in measured.items()}


def _numbers(hypothesis: Hypothesis, pair: Pair, seed: int) -> Pair:
    where = f"Relation '{hypothesis.name}' at seed {seed}"
    if (pair.theirs is None) != (hypothesis.against is not None):
        raise BadClaim(
            f"{where} needs either a measured rival or a constant, and only one of them."
        )
    ours = np.asarray(pair.ours, float)
    theirs = np.zeros_like(ours) if pair.theirs is None else np.asarray(pair.theirs, float)
    if ours.shape != theirs.shape or ours.ndim > 1 or not ours.size:
        raise BadClaim(
            f"{where} needs a number or the same items on both sides, not {ours.shape} against "
            f"{theirs.shape}."
        )
    if not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        raise BadClaim(f"{where} has a number that is not finite: say what a failure counts as.")
    return Pair(ours=ours.tolist(), theirs=None if pair.theirs is None else theirs.tolist())


def _relation(hypothesis: Hypothesis, measured: list[Measurement]) -> Relation:
    pairs = [entry[hypothesis.name] for entry in measured]
    shapes = {np.shape(pair.ours) for pair in pairs}
    if len(shapes) > 1:
        raise BadClaim(f"Relation '{hypothesis.name}' needs the same items in every seed.")
    ours = np.array([pair.ours for pair in pairs], float)
    rivals = [pair.theirs for pair in pairs if pair.theirs is not None]
    return judge(hypothesis, ours, np.array(rivals, float) if rivals else None)
