"""`python -m pellucid.claims`: run the claims whose results are missing or stale."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from traceback import print_exc

from pellucid import systems
from pellucid.claims.harness import Progress, checkpoint_path, reproduce
from pellucid.claims.results import FOLDER, BadResult, Result, read_result, write_result
from pellucid.claims.stale import load_claim, stale
from pellucid.data.files import cache_folder
from pellucid.errors import UserError
from pellucid.systems import Row


def main(
    arguments: Sequence[str], rows: Sequence[Row] = systems.SYSTEMS, folder: Path = FOLDER
) -> int:
    """Print a line a claim; 0 when all could finish (whether they hold or not), else 1."""
    parser = ArgumentParser(prog="python -m pellucid.claims", description=__doc__)
    parser.add_argument("slugs", nargs="*", metavar="SLUG", help="only these; all unless given")
    parser.add_argument("--all", action="store_true", help="run the fresh ones too")
    parser.add_argument("--check", action="store_true", help="run none; say which are stale")
    options = parser.parse_args(arguments)
    claimed = {row.slug: row for row in rows if row.claim is not None}
    unknown = [slug for slug in options.slugs if slug not in claimed]
    if unknown:
        parser.error(f"'{unknown[0]}' has no claim; those with one: {', '.join(claimed)}.")
    asked = [claimed[slug] for slug in options.slugs] or list(claimed.values())
    try:
        if options.check:
            _check(asked, folder)
            return 0
        return max([_run(row, folder, again=options.all) for row in asked], default=0)
    except UserError as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        print("Stopped; the finished seeds are kept: the same command goes on.", file=sys.stderr)
    return 1


def _check(rows: Sequence[Row], folder: Path) -> None:
    reasons = {row.slug: _reasons(row, folder) for row in rows}
    for slug in filter(reasons.get, reasons):
        print(f"{slug}: {'; '.join(reasons[slug])}")
    print(f"{sum(map(bool, reasons.values()))} of {len(rows)} claims have no fresh result.")


def _reasons(row: Row, folder: Path) -> list[str]:
    """Why the row's claim is to be run."""
    try:
        result = read_result(row.slug, folder)
    except BadResult as error:
        return [str(error)]
    return ["no result yet"] if result is None else stale(result, row)


def _run(row: Row, folder: Path, *, again: bool) -> int:
    """Run one claim; 1 when it could not finish, with its traceback unless the user is told."""
    try:
        if not again and not _reasons(row, folder):
            print(f"{row.slug}: fresh")
            return 0
        claim = load_claim(row)
        checkpoint = checkpoint_path(claim, cache_folder() / "claims", quick=False)
        result = reproduce(claim, checkpoint=checkpoint, progress=_show)
        write_result(result, folder)
        checkpoint.unlink()
    except UserError as error:
        print(f"{row.slug}: could not finish. {error}", file=sys.stderr)
        return 1
    except Exception as error:
        print_exc()
        print(f"{row.slug}: could not finish. {error!r}", file=sys.stderr)
        return 1
    print(line(result), flush=True)
    return 0


def line(result: Result) -> str:
    """A result in one line."""
    words = {True: "holds", False: "does not hold", None: "undecided"}
    failed = [relation.name for relation in result.relations if relation.holds is False]
    missed = f" (not shown: {', '.join(failed)})" if failed else ""
    spent = f"{len(result.seeds)} seeds in {sum(result.seconds):.0f} s"
    return f"{result.slug}: {words[result.holds]}{missed}, {spent}"


def _show(progress: Progress) -> None:
    print(
        f"{progress.slug}: {progress.done} of {progress.total} seeds, {progress.seconds:.0f} s",
        file=sys.stderr,
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
