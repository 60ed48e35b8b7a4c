"""Stores in SQLite files: whose they are, how they are kept whole, and what can go wrong."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from pellucid.answers import Answers, BadStore, StoreFailed
from pellucid.answers.schema import MIGRATIONS, VERSION


def test_a_file_that_is_no_store_is_named(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("this is no store of answers, but a text. " * 50)
    with pytest.raises(BadStore, match=r"notes\.txt"):
        Answers(path)
    with pytest.raises(BadStore, match="cannot be kept"):
        Answers(tmp_path / "missing" / "answers")
    assert path.read_text().startswith("this is no store")


def test_another_database_is_left_as_it_was(tmp_path):
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE answers (question TEXT)")
    other.commit()
    other.close()
    with pytest.raises(BadStore, match=r"other\.db"):
        Answers(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_store_of_another_user_is_refused(tmp_path):
    path = tmp_path / "answers"
    Answers(path).__exit__(None, None, None)
    os.chown(path, 12345, -1)
    with pytest.raises(BadStore, match=r"belongs to another user \(id 12345\)"):
        Answers(path)


@pytest.mark.parametrize("name", ["a'; DROP TABLE answers; --", "x?mode=memory&uri=true", "50%20#"])
def test_a_file_may_be_called_anything(tmp_path, name):
    path = tmp_path / name
    with Answers(path) as store:
        store.put({b"k": b"v"})
    assert [file.name for file in tmp_path.iterdir()] == [name]
    with Answers(str(path)) as store:
        assert store.get([b"k"]) == {b"k": b"v"}


OLD_ANSWERS = (
    "CREATE TABLE answers (key BLOB NOT NULL, value BLOB, PRIMARY KEY (key)) WITHOUT ROWID"
)
OLD_REQUESTS = (
    "CREATE TABLE requests (id INTEGER NOT NULL, rows INTEGER NOT NULL, answered BOOLEAN NOT NULL, "
    "PRIMARY KEY (id))"
)


@pytest.mark.parametrize("booked", [True, False])
def test_stores_from_before_there_were_versions_are_migrated_and_backed_up(tmp_path, booked):
    path = tmp_path / "answers"
    with closing(sqlite3.connect(path)) as old:
        old.execute(f"PRAGMA application_id = {0x50454C4C}")
        old.execute("PRAGMA journal_mode = WAL")
        old.execute(OLD_ANSWERS)
        old.execute("INSERT INTO answers VALUES (x'61', x'31')")
        if booked:
            old.execute(OLD_REQUESTS)
            old.execute("INSERT INTO requests (rows, answered) VALUES (4, 1), (3, 1), (2, 0)")
        old.commit()
        with Answers(path) as store:
            assert store.get([b"a"]) == {b"a": b"1"}
            assert (store.sent, store.bought, store.lost) == ((0, 7, 2) if booked else (0, 0, 0))
            store.put({b"l": b"w"}, store.reserve(1))
            assert store.bought == (8 if booked else 1)
    with closing(sqlite3.connect(f"{path}.schema-0")) as copy:
        assert copy.execute("SELECT key, value FROM answers").fetchall() == [(b"a", b"1")]
        if booked:
            assert copy.execute("SELECT sum(rows) FROM requests").fetchone() == (9,)


def test_what_was_migrated_has_the_schema_of_what_is_new(tmp_path):
    def schema(path):
        with closing(sqlite3.connect(path)) as store:
            tables = [row[0] for row in store.execute("SELECT name FROM sqlite_master ORDER BY 1")]
            return {
                name: store.execute(f"PRAGMA table_info('{name}')").fetchall() for name in tables
            }

    with closing(sqlite3.connect(tmp_path / "old")) as old:
        old.execute(f"PRAGMA application_id = {0x50454C4C}")
        old.execute(OLD_ANSWERS)
    for name in ("old", "new"):
        Answers(tmp_path / name).__exit__(None, None, None)
    old, new = schema(tmp_path / "old"), schema(tmp_path / "new")
    assert old.keys() == new.keys()
    for table in ("purses", "requests"):
        assert [column[1:3] for column in old[table]] == [column[1:3] for column in new[table]]


def test_a_backup_never_takes_the_place_of_an_older_one(tmp_path, monkeypatch):
    path, older = tmp_path / "answers", tmp_path / f"answers.schema-{VERSION}"
    Answers(path).__exit__(None, None, None)
    older.write_text("mine")
    monkeypatch.setattr("pellucid.answers.schema.VERSION", VERSION + 1)
    monkeypatch.setitem(MIGRATIONS, VERSION, ())
    Answers(path).__exit__(None, None, None)
    assert older.read_text() == "mine"
    assert older.with_name(f"{older.name}.1").stat().st_size > 0


def test_nothing_of_the_dead_stays_beside_the_file(tmp_path):
    path = tmp_path / "answers"
    with Answers(path) as store:
        store.put({b"k": b"v"})
        alive = [file.name for file in tmp_path.iterdir() if "-owner-" in file.name]
        (tmp_path / "answers-owner-7").touch()  # as one leaves it that had nothing in flight
        (tmp_path / "answers2-owner-7").touch()
        Answers(path).__exit__(None, None, None)
        assert {file.name for file in tmp_path.iterdir() if "-owner-" in file.name} == {
            *alive,
            "answers2-owner-7",
        }
        assert len(alive) == 1
    assert {file.name for file in tmp_path.iterdir()} == {"answers", "answers2-owner-7"}


def test_a_backup_that_fails_leaves_no_half_copy_and_the_store_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "answers"
    with Answers(path) as store:
        store.put({os.urandom(16): bytes(100) for _ in range(1000)})
    with path.open("r+b") as file:
        file.seek(-4096, os.SEEK_END)
        whole = path.stat().st_size
        file.truncate(whole - 4096)  # the last page is gone: it cannot be copied
    monkeypatch.setattr("pellucid.answers.schema.VERSION", VERSION + 1)
    monkeypatch.setitem(MIGRATIONS, VERSION, ())
    with pytest.raises(BadStore, match="malformed"):
        Answers(path)
    assert not [file.name for file in tmp_path.iterdir() if "schema" in file.name]
    assert path.stat().st_size == whole - 4096


def test_a_store_that_another_program_keeps_locked_is_a_sentence(tmp_path):
    path = tmp_path / "answers"
    with Answers(path, patience=0.1) as store, closing(sqlite3.connect(path)) as other:
        store.put({b"k": b"v"})
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreFailed, match=r"database is locked\).* end the other program"):
            store.reserve(1)
        assert store.get([b"k"]) == {b"k": b"v"}
        other.rollback()
        store.reserve(1)


def test_a_store_that_is_locked_when_it_is_opened_is_a_sentence(tmp_path):
    path = tmp_path / "answers"
    Answers(path).__exit__(None, None, None)
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreFailed, match="database is locked"):
            Answers(path, patience=0.1)


def test_a_store_that_can_grow_no_more_is_a_sentence_and_loses_nothing(tmp_path):
    path = tmp_path / "answers"
    with Answers(path) as store:
        store.put({b"k": b"v"})
        store._connection.exec_driver_sql("PRAGMA max_page_count = 1")
        store._connection.commit()
        with pytest.raises(StoreFailed, match="full") as caught:
            store.put({os.urandom(16): bytes(1000) for _ in range(1000)})
        assert caught.value.exit_code == 3
        assert store.get([b"k"]) == {b"k": b"v"}
    with Answers(path) as store:
        assert len(store) == 1


def test_a_broken_store_is_named(tmp_path):
    path = tmp_path / "answers"
    with Answers(path) as store:
        store.put({os.urandom(16): bytes(100) for _ in range(1000)})
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises((BadStore, StoreFailed), match="answers"), Answers(path) as store:
        store.get([b"k"])


FILLER = """
import resource, signal, sys
from pellucid.answers import Answers, StoreFailed
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
store = Answers(sys.argv[1])
stored = 0
try:
    while True:
        store.put({b"%d" % i: bytes(100) for i in range(stored, stored + 100)})
        stored += 100
except StoreFailed as error:
    print(stored)
    sys.exit(error.exit_code)
"""


def test_a_disk_that_fills_is_an_error_of_ours_and_loses_nothing(tmp_path):
    """A limit on the size of files is what any process can have of a full disk."""
    path = tmp_path / "answers"
    done = subprocess.run([sys.executable, "-c", FILLER, path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (3, "")
    stored = int(done.stdout)
    assert stored > 0
    with Answers(path) as store:
        assert len(store) == store.bought == stored
        assert store.get([b"0"]) == {b"0": bytes(100)}
