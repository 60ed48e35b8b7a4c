"""Measures one claim with a bar and a checkpoint, and shows what came out as a table."""

from rich.table import Table

from pellucid.claims.claim import Claim
from pellucid.claims.harness import Progress as Seeds
from pellucid.claims.harness import checkpoint_path, reproduce
from pellucid.claims.relation import Relation
from pellucid.claims.results import Result
from pellucid.cli._standing import VERDICTS
from pellucid.data.files import cache_folder
from pellucid.progress import Progress, listening


def measure(claim: Claim, *, seeds: int | None, first: int | None, quick: bool) -> Result:
    """Measure a claim; finished seeds stay in the cache until all are."""
    # not the folder of `make claims`, whose finished seeds are not ours to throw away
    checkpoint = checkpoint_path(claim, cache_folder() / "reproduce", quick=quick)
    with listening(None) as listener:

        def tell(done: Seeds) -> None:
            if listener is not None:
                note = f"{done.done} of {done.total} seeds"
                listener(Progress(title=done.slug, share=done.done / done.total, note=note))

        result = reproduce(
            claim, seeds=seeds, first=first, quick=quick, checkpoint=checkpoint, progress=tell
        )
    checkpoint.unlink()
    return result


def table(result: Result) -> Table:
    """One line a relation, and the verdict below."""
    made = Table(
        "relation",
        "estimate",
        "interval",
        "threshold",
        "required",
        "holds",
        title=f"{result.slug}: {result.title}",
        caption=_caption(result),
        caption_justify="left",
    )
    for relation in result.relations:
        made.add_row(*_cells(relation))
    return made


def _cells(relation: Relation) -> tuple[str, ...]:
    low, high = map(_number, relation.interval)
    return (
        relation.name,
        _number(relation.estimate),
        f"{low} to {high}",
        relation.threshold,
        "yes" if relation.required else "no",
        VERDICTS[relation.holds],
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _caption(result: Result) -> str:
    count = len(result.seeds)
    spent = f"{count} seed{'s' if count > 1 else ''} in {sum(result.seconds):.0f} s"
    verdict = "A quick run decides nothing" if result.quick else VERDICTS[result.holds].capitalize()
    return f"{verdict}: {spent}."
