"""Places to keep answers: a file, and a database of a real PostgreSQL server."""

import pytest

from benchmarks.postgres import serving


@pytest.fixture(scope="session")
def postgres():
    """A server for as long as the tests run; it need not outlive a power cut."""
    with serving("fsync=off") as server:
        yield server


@pytest.fixture
def database(postgres, monkeypatch):
    """The name of a new database, whose server this process can be let into."""
    for name, value in postgres.env.items():
        monkeypatch.setenv(name, value)
    return postgres.new_database()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def place(request, tmp_path):
    """Where a store can be made, on each kind of database."""
    if request.param == "sqlite":
        return tmp_path / "answers"
    name = request.getfixturevalue("database")
    return request.getfixturevalue("postgres").url(name)
