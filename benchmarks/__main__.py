"""``python -m benchmarks FAMILY``: measure, print, and record study by study."""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from benchmarks import answers, evade_table, explain_table
from benchmarks.family import Family
from pellucid.errors import UserError

FAMILIES: Sequence[Family[Any]] = (evade_table.FAMILY, explain_table.FAMILY, answers.FAMILY)


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="python -m benchmarks")
    names = whole.add_subparsers(dest="family", required=True)
    for family in FAMILIES:
        one = names.add_parser(family.name)
        slugs = [study.slug for study in family.studies]
        one.add_argument("--study", choices=slugs, action="append", help="this one alone; repeats")
        one.add_argument("--unrecorded", action="store_true", help="those without a record alone")
        one.add_argument("--rounds", type=int, help="in place of each study's own")
        one.add_argument("--try", action="store_true", dest="trial", help="one round, unrecorded")
        one.add_argument("--page", action="store_true", help="only write the page anew")
    return whole


def run(family: Family[Any], options: argparse.Namespace) -> None:
    for study in [] if options.page else family.studies:
        wanted = options.study is None or study.slug in options.study
        if not wanted or (options.unrecorded and family.path(study).exists()):
            continue
        rounds = 1 if options.trial else options.rounds or study.rounds
        record = family.record(study, rounds, partial(print, flush=True))
        print("", family.chapter(record), sep="\n", flush=True)
        if not options.trial:
            family.keep(study, record)
            family.write_page()
    if options.page:
        family.write_page()


def main() -> int:
    options = parser().parse_args()
    (family,) = (one for one in FAMILIES if one.name == options.family)
    try:
        run(family, options)
    except (UserError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
