"""A PostgreSQL server of Debian's package, on a free port of this machine, while it is needed."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

USER = "auditor"
PATIENCE = 60  # seconds until the server must be up or down
PACKAGED = "usr/lib/postgresql/*/bin"  # where Debian puts what is not on the path


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that takes connections."""

    port: int
    folder: Path
    process: subprocess.Popen
    password: str = field(repr=False)

    @property
    def env(self):
        """What its clients need in their environment, where alone a password may stand."""
        return {"PGPASSWORD": self.password}

    def url(self, database="postgres", user=USER):
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def sql(self, statement, database="postgres"):
        """What psql prints of a statement."""
        command = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", self.url(database), "-c", statement]
        env = os.environ | self.env
        done = subprocess.run(command, env=env, text=True, capture_output=True, check=True)
        return done.stdout.strip()

    def new_database(self):
        name = f"store_{secrets.token_hex(4)}"
        self.sql(f"CREATE DATABASE {name}")
        return name


def program(name: str) -> str:
    """Where a program of PostgreSQL's lies; the newest version's."""
    found = shutil.which(name) or max(
        (str(path) for path in Path("/").glob(f"{PACKAGED}/{name}")), default=None
    )
    if found is None:
        raise RuntimeError(f"PostgreSQL's {name} is needed: install Debian's package postgresql.")
    return found


@contextmanager
def serving(*settings: str) -> Iterator[Server]:
    """A server with settings such as fsync=off; its data are gone with it."""
    password, port = secrets.token_hex(16), _free_port()
    whose = _identity()
    folder = Path(tempfile.mkdtemp(prefix="pellucid-postgres-"))
    try:
        (folder / "password").write_text(password)
        for path in (folder, folder / "password"):
            shutil.chown(path, *whose.values()) if whose else None
        _initialise(folder, whose)
        with (folder / "log").open("wb") as log:
            options = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories="]
            flags = [part for one in (*options, *settings) for part in ("-c", one)]
            command = [program("postgres"), "-D", folder / "data", *flags]
            process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **whose)
        server = Server(port=port, folder=folder, process=process, password=password)
        try:
            _wait(server)
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: nothing of it is needed any more
            process.wait(PATIENCE)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _identity() -> dict[str, int]:
    """Whom to run it as: it refuses to be run by root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres", names.get("nobody"))
    assert entry is not None
    return {"user": entry.pw_uid, "group": entry.pw_gid}


def _initialise(folder: Path, whose: dict[str, int]) -> None:
    command = [
        program("initdb"), "-D", folder / "data", "-U", USER, "-A", "scram-sha-256", "-E", "UTF8",
        "--no-locale", "--no-sync", "--no-instructions", f"--pwfile={folder / 'password'}",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, **whose)
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr[-2000:]}")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _wait(server: Server) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            server.sql("SELECT 1")
            return
        except subprocess.CalledProcessError:
            if time.monotonic() > end or server.process.poll() is not None:
                raise RuntimeError((server.folder / "log").read_text()[-3000:]) from None
            time.sleep(0.1)
