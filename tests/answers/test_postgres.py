"""Stores on a real PostgreSQL: secrets stay where they are, and nothing of others is touched."""

import logging

import pytest

from pellucid.answers import Answers, BadStore, StoreFailed

pytestmark = pytest.mark.services
SECRET = "correct-horse"


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://auditor:{SECRET}@127.0.0.1/postgres",
        f"postgresql://auditor:@127.0.0.1/{SECRET}",
        f"postgresql://127.0.0.1/postgres?password={SECRET}",
        f"postgresql://127.0.0.1/postgres?sslpassword={SECRET}",
        f"postgresql://127.0.0.1/postgres?options=-csearch_path%3D{SECRET}",
        f"postgresql://127.0.0.1:{SECRET}/postgres",
        f"postgresql://auditor:{SECRET}@127.0.0.1",
        f"postgresql+psycopg2://{SECRET}@127.0.0.1/postgres",
        f"mysql://auditor:{SECRET}@127.0.0.1/postgres",
    ],
)
def test_an_address_with_a_password_or_more_is_refused_and_not_repeated(address):
    with pytest.raises(BadStore) as caught:
        Answers(address)
    assert SECRET not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_the_password_is_in_no_log_error_or_place(postgres, database, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    with Answers(postgres.url(database)) as store:
        store.put({b"k": b"v"})
        assert postgres.password not in f"{store!r} {store._database.place} {vars(store)}"
        said = [str(vars(store._database)), str(store._database.engine)]
    monkeypatch.setenv("PGPASSWORD", wrong := "not-the-password")
    with pytest.raises(BadStore, match="password authentication failed") as caught:
        Answers(postgres.url(database))
    said += [str(caught.value), repr(caught.value.__cause__), caplog.text]
    said.append((postgres.folder / "log").read_text())
    assert not [text for text in said if postgres.password in text or wrong in text]


def test_a_password_may_stand_in_the_users_file(postgres, database, tmp_path, monkeypatch):
    monkeypatch.delenv("PGPASSWORD")
    with pytest.raises(BadStore, match="no password supplied"):
        Answers(postgres.url(database))
    path = tmp_path / "pgpass"
    path.write_text(f"127.0.0.1:{postgres.port}:*:auditor:{postgres.password}\n")
    path.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(path))
    with Answers(postgres.url(database)) as store:
        assert len(store) == 0


def test_a_schema_of_another_user_is_refused_and_left_as_it_was(postgres, database):
    postgres.sql("CREATE ROLE mallory; CREATE SCHEMA pellucid AUTHORIZATION mallory", database)
    with pytest.raises(BadStore, match="belongs to the user mallory"):
        Answers(postgres.url(database))
    assert tables(postgres, database) == ""


@pytest.mark.parametrize(
    "theirs",
    [
        "CREATE TABLE pellucid.answers (question text)",
        "CREATE TABLE pellucid.store (program text, version int)",
        "CREATE TABLE pellucid.store (program text, version int); "
        "INSERT INTO pellucid.store VALUES ('another', 1)",
    ],
)
def test_another_programs_schema_is_left_as_it_was(postgres, database, theirs):
    postgres.sql(f"CREATE SCHEMA pellucid; {theirs}", database)
    before = tables(postgres, database)
    with pytest.raises(BadStore, match="another program's tables"):
        Answers(postgres.url(database))
    assert tables(postgres, database) == before


def test_tables_of_the_same_names_elsewhere_are_not_looked_at(postgres, database):
    postgres.sql("CREATE TABLE answers (a int); CREATE TABLE requests (a int)", database)
    postgres.sql(f"ALTER DATABASE {database} SET search_path = public", database)
    with Answers(postgres.url(database)) as store:
        store.put({b"k": b"v"})
        assert store.get([b"k"]) == {b"k": b"v"}
    assert postgres.sql("SELECT count(*) FROM public.answers", database) == "0"


def test_an_empty_schema_of_ones_own_will_do(postgres, database):
    postgres.sql("CREATE SCHEMA pellucid", database)
    with Answers(postgres.url(database)) as store:
        assert len(store) == 0


def test_a_user_who_may_not_make_a_schema_is_told(postgres, database):
    postgres.sql(f"CREATE ROLE guest_of_{database} LOGIN PASSWORD '{postgres.password}'")
    with pytest.raises(BadStore, match="permission denied"):
        Answers(postgres.url(database, user=f"guest_of_{database}"))


def test_a_database_that_is_not_there_is_a_sentence(postgres, database):
    for missing in (f"{database}'; DROP DATABASE {database}; --", "nowhere"):
        with pytest.raises(BadStore, match="does not exist"):
            Answers(postgres.url(missing))
    Answers(postgres.url(database)).__exit__(None, None, None)


def test_a_server_that_is_not_there_is_a_sentence():
    with pytest.raises(BadStore, match=r"127\.0\.0\.1.*refused"):
        Answers("postgresql://auditor@127.0.0.1:1/postgres")


def test_a_line_that_breaks_is_a_sentence_and_what_was_in_flight_is_lost(postgres, database):
    with Answers(postgres.url(database)) as store:
        store.put({b"k": b"v"})
        request = store.reserve(3)
        postgres.sql(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {MINE}", database
        )
        with pytest.raises(StoreFailed, match=r"connection is lost.*what was stored is kept"):
            store.put({b"l": b"w"}, request)
        assert store.get([b"k", b"l"]) == {b"k": b"v"}  # on a new line
        store.reserve(2)  # by a new owner, who lives
        with Answers(postgres.url(database)) as other:
            assert (other.sent, other.bought, other.lost) == (2, 1, 3)


def test_a_store_that_another_program_keeps_locked_is_a_sentence(postgres, database):
    url = postgres.url(database)
    with Answers(url, patience=0.1) as store, Answers(url) as other:
        store.put({b"k": b"v"})
        with other._connection.begin():
            other._connection.exec_driver_sql("LOCK TABLE purses")
            with pytest.raises(StoreFailed, match=r"lock timeout\).*end the other program"):
                store.put({b"l": b"w"})
        with other._connection.begin():
            other._connection.exec_driver_sql("LOCK TABLE requests")
            with pytest.raises(StoreFailed, match="lock timeout"):
                Answers(url, patience=0.1)
        assert store.get([b"k", b"l"]) == {b"k": b"v"}


MINE = "application_name = 'pellucid' AND datname = current_database()"


def tables(postgres, database):
    columns = "SELECT table_name, column_name FROM information_schema.columns"
    return postgres.sql(f"{columns} WHERE table_schema = 'pellucid' ORDER BY 1, 2", database)
