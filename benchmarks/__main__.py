"""``python -m benchmarks evade``: measure, print, and record."""

import argparse
import json
import sys
import time
from datetime import UTC, datetime
from functools import partial

from benchmarks import evade, table
from benchmarks.processes import ROOT
from pellucid.errors import UserError
from pellucid.machine import machine, versions

RESULT = ROOT / "benchmarks" / "results" / "evade.json"
PAGE = ROOT / "docs" / "benchmarks" / "evade.md"

FOREWORD = """# Evasion, beside the peers

<!-- Written by `python -m benchmarks evade`; do not edit. -->

The same {rows} Fashion-MNIST images, network (206,922 weights) and start points for every tool, and
about the same budget: the peers are given steps, not queries. Each tool in a process and an
environment of its own, one thread, {rounds} rounds with other seeds, the processes taking turns.
Figures are medians over rounds, the least and the greatest in brackets.
Success and distances are the parent's, from a clean forward pass of its own.
`benchmarks/README.md` says how each column is measured.

Measured {day} on {cpu} ({cores} cores, shared) with torch {torch}, Python {python}, in {minutes}
minutes. {peers}.
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("benchmark", choices=["evade"])
    parser.add_argument("--rounds", type=int, default=5, help="of all tools; 5 unless given")
    slugs = [study.slug for study in evade.STUDIES]
    parser.add_argument("--study", choices=slugs, help="run one, print it and record nothing")
    options = parser.parse_args()

    began = time.monotonic()
    studies = [study for study in evade.STUDIES if options.study in (None, study.slug)]
    try:
        records = [
            table.record(study, evade.run(study, options.rounds, partial(print, flush=True)))
            for study in studies
        ]
    except (UserError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 3
    sections = [one.pop("markdown") for one in records]
    if options.study is not None:
        print("", *sections, sep="\n")
        return 0

    facts = {**versions(), **machine(), "threads": 1}
    seconds = time.monotonic() - began
    day = datetime.now(UTC).date().isoformat()
    peers = {
        f"{name} {version}"
        for record in records
        for line in record["lines"]
        for name, version in line["versions"].items()
        if name not in ("torch", "numpy")
    }
    page = FOREWORD.format(
        rows=evade.ROWS,
        rounds=options.rounds,
        day=day,
        minutes=round(seconds / 60),
        peers=", ".join(sorted(peers)),
        **facts,
    )
    kept = {
        "measured": day,
        "seconds": round(seconds),
        "rounds": options.rounds,
        "facts": facts,
        "studies": records,
    }
    # JSON has no infinity: the distance of a row without success is null
    plain = json.loads(json.dumps(kept), parse_constant=lambda _: None)
    for path, text in (
        (RESULT, json.dumps(plain, indent=1) + "\n"),
        (PAGE, "\n".join([page, *(section + "\n" for section in sections)])),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    print("", *sections, "", f"Recorded in {RESULT} and {PAGE}.", sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
