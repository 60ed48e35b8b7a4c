"""Published files: a folder of the user's, the cache, and a mirror that the test runs itself."""

import hashlib
import threading
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler

import pytest

from pellucid.data.files import MissingFile, Published, WrongChecksum, digest_of

CONTENT = b"as published"
NOWHERE = "http://127.0.0.1:9/file"  # the discard port: nothing answers


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("PELLUCID_DATA", str(tmp_path / "own"))
    (tmp_path / "own/Set").mkdir(parents=True)
    return tmp_path / "own/Set/file"


@pytest.fixture
def cached(tmp_path, monkeypatch):
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "cache/Set").mkdir(parents=True)
    return tmp_path / "cache/Set/file"


@pytest.fixture
def mirror(tmp_path):
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror/file").write_bytes(CONTENT)
    serve = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "mirror"))
    with HTTPServer(("127.0.0.1", 0), serve) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/file"
        server.shutdown()
        thread.join()


def published(url=NOWHERE, content=CONTENT):
    return Published(path="Set/file", url=url, sha256=hashlib.sha256(content).hexdigest())


def test_own_folder_comes_before_the_cache(own, cached):
    cached.write_bytes(CONTENT)
    assert published().fetch() == cached
    own.write_bytes(CONTENT)
    assert published().fetch() == own


def test_mirror_fills_the_cache(own, cached, mirror):
    assert published(mirror).fetch() == cached
    assert cached.read_bytes() == CONTENT
    assert published(NOWHERE).fetch() == cached  # no second download
    assert not own.exists()


@pytest.mark.parametrize("where", ["own", "cached"])
def test_wrong_file_is_named(own, cached, where):
    path = {"own": own, "cached": cached}[where]
    path.write_bytes(b"something else")
    with pytest.raises(WrongChecksum, match=f"{path} is not the published file"):
        published().fetch()


@pytest.mark.usefixtures("own")
def test_wrong_download_is_refused_and_not_kept(cached, mirror):
    with pytest.raises(WrongChecksum, match=f"{mirror} did not send the published file"):
        published(mirror, content=b"something else").fetch()
    assert not cached.exists()


@pytest.mark.usefixtures("cached")
def test_what_has_no_mirror_must_be_in_the_folder(own):
    assert not published(None).here()
    with pytest.raises(
        MissingFile, match=r"Set/file is not here .*; set PELLUCID_DATA to a folder"
    ):
        published(None).fetch()
    own.write_bytes(b"something else")
    assert published(None).here()  # though it is not the right one
    with pytest.raises(WrongChecksum):
        published(None).fetch()


def test_the_digest_of_several_files_does_not_know_their_order():
    one, other = published(content=b"1"), published(content=b"2")
    assert digest_of([one, other]) == digest_of([other, one]) != digest_of([one])


@pytest.mark.usefixtures("own", "cached")
def test_offline_says_what_to_do():
    with pytest.raises(MissingFile, match="set PELLUCID_DATA to a folder that holds it, or conn"):
        published().fetch()
