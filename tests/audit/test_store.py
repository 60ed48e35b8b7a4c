"""The store of an audit."""

import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager

import numpy as np
import pytest

from pellucid.answers import StoreFailed
from pellucid.audit.finding import Finding, Found, NotTested
from pellucid.audit.store import FILE, MIGRATIONS, VERSION, NoStore, Store, existing
from pellucid.ledger import Cost


def found(check):
    finding = Finding(
        check=check,
        system="pgd",
        severity="low",
        access="gradient",
        figures={"rows": 3, "lines": [{"epsilon": 0.1, "low": None}]},
        atlas=("AML.T0015",),
        cost=Cost(queries=7),
        text="Text with 'quotes'; DROP TABLE findings.",
    )
    return Found(finding=finding, arrays={"x": np.arange(6.0).reshape(2, 3), "no": np.zeros(0)})


def test_what_is_added_comes_back_in_order_and_outlives_the_process(tmp_path):
    with Store(tmp_path / FILE) as store:
        for name in ("falsify.b", "clean.a"):
            store.add(found(name))
        store.skip(NotTested(check="prove", reason="no bounds"))
        store.keep_facts("settings", {"seed": 1})
        store.keep_facts("settings", {"seed": 2})
    with existing(tmp_path) as store:
        assert store.findings() == [found("falsify.b").finding, found("clean.a").finding]
        assert store.not_tested() == [NotTested(check="prove", reason="no bounds")]
        assert store.facts("settings") == {"seed": 2}
        assert store.facts("none") is None
        arrays = store.found()["clean.a"].arrays
        assert arrays["x"].tolist() == [[0, 1, 2], [3, 4, 5]]
        assert arrays["no"].shape == (0,)


def test_another_program_s_database_is_left_alone(tmp_path):
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("CREATE TABLE mine (a)")
    other.commit()
    other.close()
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(NoStore, match="no audit's store"):
        Store(tmp_path / FILE)
    assert (tmp_path / FILE).read_bytes() == before


def test_a_newer_schema_is_refused(tmp_path):
    Store(tmp_path / FILE).__exit__(None, None, None)
    newer = sqlite3.connect(tmp_path / FILE)
    newer.execute(f"PRAGMA user_version = {VERSION + 1}")
    newer.close()
    with pytest.raises(NoStore, match="newer Pellucid"):
        Store(tmp_path / FILE)


def test_a_file_that_is_no_database_is_said(tmp_path):
    (tmp_path / FILE).write_text("not a database, but long enough to be looked at as one")
    with pytest.raises(NoStore, match="cannot be used"):
        Store(tmp_path / FILE)


def test_a_folder_without_an_audit_is_said(tmp_path):
    with pytest.raises(NoStore, match="holds no audit"):
        existing(tmp_path)


@contextmanager
def next_version(monkeypatch, *statements):
    """As if this version's schema were the next, to which these statements lead."""
    with monkeypatch.context() as patch:
        patch.setattr("pellucid.audit.store.VERSION", VERSION + 1)
        patch.setitem(MIGRATIONS, VERSION, statements)
        yield


def test_an_older_schema_is_migrated_and_backed_up(tmp_path, monkeypatch):
    with Store(tmp_path / FILE) as store:
        store.add(found("clean.a"))
        # what is still in the log of an open store is in the copy too
        with next_version(monkeypatch, "ALTER TABLE not_tested ADD COLUMN note VARCHAR"):
            for _ in range(2):
                with Store(tmp_path / FILE) as newer:
                    assert newer.findings() == [found("clean.a").finding]
    assert [path.name for path in tmp_path.glob("*schema*")] == [f"{FILE}.schema-{VERSION}"]
    with Store(tmp_path / f"{FILE}.schema-{VERSION}") as copy:
        assert copy.findings() == [found("clean.a").finding]


def test_a_migration_that_fails_changes_nothing(tmp_path, monkeypatch):
    with Store(tmp_path / FILE) as store:
        store.add(found("clean.a"))
    statements = ("DELETE FROM findings", "ALTER TABLE nothing ADD COLUMN note VARCHAR")
    with next_version(monkeypatch, *statements), pytest.raises(NoStore, match="nothing"):
        Store(tmp_path / FILE)
    with Store(tmp_path / FILE) as store:
        assert store.findings() == [found("clean.a").finding]


def test_a_store_that_another_program_keeps_locked_is_a_sentence(tmp_path):
    with (
        Store(tmp_path / FILE, patience=0.1) as store,
        closing(sqlite3.connect(tmp_path / FILE)) as other,
    ):
        store.add(found("clean.a"))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreFailed, match=r"database is locked\).*end the other program"):
            store.add(found("clean.b"))
        assert store.findings() == [found("clean.a").finding]
        other.rollback()
        store.add(found("clean.b"))
    with closing(sqlite3.connect(tmp_path / FILE)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreFailed, match="database is locked"):
            Store(tmp_path / FILE, patience=0.1)


FILLER = """
import resource, signal, sys
import numpy as np
from pellucid.audit.store import Store, StoreFailed
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
store, kept = Store(sys.argv[1]), 0
try:
    while True:
        store.keep_arrays(f"part {kept}", {"x": np.zeros(1000)})
        kept += 1
except StoreFailed as error:
    print(kept, error)
    sys.exit(error.exit_code)
"""


def test_a_disk_that_fills_is_a_sentence_and_loses_nothing(tmp_path):
    """A limit on the size of files is what any process can have of a full disk."""
    command = [sys.executable, "-c", FILLER, tmp_path / FILE]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (3, "")
    kept, _, said = done.stdout.partition(" ")
    assert "make room" in said
    with Store(tmp_path / FILE) as store:
        assert int(kept) > 0
        assert all("x" in store.arrays(f"part {number}") for number in range(int(kept)))
        assert not store.arrays(f"part {kept}")
