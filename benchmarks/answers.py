"""The store of answers: a million entries put in, looked up, and weighed, on each database."""

import os
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy

from benchmarks.family import Family, Json, Say
from benchmarks.postgres import Server, serving
from benchmarks.table import Bar, Spread, grid, promises
from pellucid.answers import Answers

ENTRIES = 1_000_000
BATCH = 1_000  # rows of a call: one request reserved, and answered with all of them
VALUE = 40  # bytes of an answer: ten scores as float32
SINGLE = 2_000  # look-ups of one key, and of a batch of keys
BATCHED = 100

FOREWORD = """# Benchmarks: the store of answers

`python -m benchmarks answers` makes this page; `benchmarks/README.md` says how it is measured.
Every request is reserved and committed before its answers are put in and committed, as runs do.
"""


@dataclass(frozen=True, kw_only=True)
class Study:
    """One database."""

    slug: str
    title: str
    rounds: int = 3


STUDIES = (
    Study(slug="sqlite", title="SQLite"),
    Study(slug="postgres", title="PostgreSQL on the same machine"),
)


def measure(study: Study, rounds: int, say: Say) -> Json:
    found, version = [], ""
    for number in range(rounds):
        with _place(study) as (where, server):
            found.append(_round(where, server))
            version = _version(server)
        say(f"{study.slug}, round {number + 1} of {rounds}: {found[-1]}")
    names = found[0]
    spreads = {name: vars(Spread.of([one[name] for one in found])) for name in names}
    return {"versions": {study.title.partition(" ")[0]: version}, "figures": spreads}


@contextmanager
def _place(study: Study) -> Iterator[tuple[Path | str, Server | None]]:
    """A new place for a store; a server that is as careful with the disk as it comes."""
    if study.slug == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder) / "answers", None
        return
    with serving() as server:
        os.environ |= server.env
        yield server.url(server.new_database()), server


def _round(where: Path | str, server: Server | None) -> dict[str, float]:
    draw = random.Random(0)
    keys = [draw.randbytes(16) for _ in range(ENTRIES)]
    with Answers(where) as store:
        began, cpu = time.perf_counter(), time.process_time()
        for first in range(0, ENTRIES, BATCH):
            batch = keys[first : first + BATCH]
            store.put(dict.fromkeys(batch, bytes(VALUE)), store.reserve(len(batch)))
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        assert len(store) == store.bought == ENTRIES
        # every other key is not there: that is what a run asks about most
        asked = [draw.choice((draw.choice(keys), draw.randbytes(16))) for _ in range(SINGLE)]
        single = _timed(store, [[key] for key in asked])
        batched = _timed(store, [draw.sample(keys, BATCH) for _ in range(BATCHED)])
    size = _bytes(where, server)  # once it is closed, and its log gone
    return {
        "inserted_a_second": ENTRIES / seconds,
        "inserted_a_cpu_second": ENTRIES / cpu,
        "single_ms": 1e3 * sorted(single)[SINGLE // 2],
        "single_ms_99": 1e3 * sorted(single)[SINGLE * 99 // 100],
        "batched_ms_a_key": 1e3 * sum(batched) / (BATCHED * BATCH),
        "megabytes": size / 1e6,
    }


def _timed(store: Answers, questions: Sequence[list[bytes]]) -> list[float]:
    """Seconds of each look-up."""
    found = []
    for keys in questions:
        began = time.perf_counter()
        store.get(keys)
        found.append(time.perf_counter() - began)
    return found


def _bytes(where: Path | str, server: Server | None) -> int:
    """What it takes on the disk: the file, or the tables with their indexes."""
    if server is None:
        return Path(where).stat().st_size
    tables = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND "
    query = f"{tables} relnamespace = 'pellucid'::regnamespace"
    return int(server.sql(query, str(where).rpartition("/")[2]))


def _version(server: Server | None) -> str:
    if server is not None:
        return server.sql("SHOW server_version").partition(" ")[0]
    with sqlalchemy.create_engine("sqlite://").connect() as connection:
        return connection.exec_driver_sql("SELECT sqlite_version()").scalar_one()


def section(measured: Json) -> str:
    """The figures and what was promised of them."""
    found = {name: Spread.read(kept) for name, kept in measured["figures"].items()}
    rows = [
        ("Put in, entries a second", found["inserted_a_second"].text(0)),
        ("Put in, entries a CPU second of this process", found["inserted_a_cpu_second"].text(0)),
        ("One key looked up, median, ms", found["single_ms"].text(3)),
        ("One key looked up, 99th percentile, ms", found["single_ms_99"].text(3)),
        (f"Looked up {BATCH:,} at once, ms a key", found["batched_ms_a_key"].text(4)),
        ("On the disk, MB", found["megabytes"].text(0)),
    ]
    bars = [
        Bar(
            text=f"Seconds to put in {ENTRIES:,} entries, {BATCH:,} at a time",
            measured=ENTRIES / found["inserted_a_second"].median,
            limit=ENTRIES / 20_000,
        ),
        Bar(
            text="Milliseconds to look one up, median",
            measured=found["single_ms"].median,
            limit=1.0,
        ),
    ]
    return f"{grid([('Of a million entries', 'Median (range)'), *rows])}\n\n{promises(bars)}"


FAMILY = Family(
    name="answers", foreword=FOREWORD, studies=STUDIES, measure=measure, section=section
)
