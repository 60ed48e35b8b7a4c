"""The token: sent to its own origin alone, and told to nobody."""

import logging
import ssl
import subprocess
from shutil import which

import httpx
import numpy as np
import pytest
from tests.remote.server import METADATA, Server, linear, send, serving
from typer.testing import CliRunner

import pellucid
from pellucid.cli.main import app
from pellucid.opening import understand
from pellucid.opening.facts import Facts
from pellucid.remote import BadEndpoint, Endpoint, Terms
from pellucid.remote.bearer import Bearer

SECRET = "tok-5f1d2c9e8a7b6d4c3e2f1a0b"
X = np.random.default_rng(0).random((5, 4), dtype=np.float32)


@pytest.fixture
def server():
    with serving() as server:
        server.token = SECRET
        yield server


@pytest.fixture
def terms(monkeypatch):
    monkeypatch.setenv("SIGNS_TOKEN", f"{SECRET}\n")
    return Terms(token="SIGNS_TOKEN", pause=0.001)


def test_every_request_carries_the_token(server, terms):
    endpoint = Endpoint.open(server.url, terms=terms)
    np.testing.assert_array_equal(endpoint(X), linear(X))
    assert server.authorizations == [f"Bearer {SECRET}"] * 3
    assert SECRET not in repr(endpoint) + repr(vars(endpoint)) + repr(vars(endpoint.sender))
    assert SECRET not in endpoint.fingerprint()


def test_the_usual_variable_is_read_if_it_is_set(server, monkeypatch):
    with pytest.raises(BadEndpoint, match=r"put a bearer token into.* PELLUCID_TOKEN"):
        Endpoint.open(server.url)
    monkeypatch.setenv("PELLUCID_TOKEN", SECRET)
    np.testing.assert_array_equal(Endpoint.open(server.url)(X), linear(X))


def test_a_token_that_is_not_let_in_is_not_repeated(server, terms):
    server.token = "another"
    with pytest.raises(BadEndpoint, match=r"token in SIGNS_TOKEN \(status 401: you b") as caught:
        Endpoint.open(server.url, terms=terms)
    assert SECRET not in str(caught.value)
    assert "(the token)" in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("SIGNS_TOKEN", None, "not set or empty"),
        ("SIGNS_TOKEN", " \n", "not set or empty"),
        ("SIGNS_TOKEN", "two words of it", "SIGNS_TOKEN holds is no token"),
        ("SIGNS_TOKEN", "short", "SIGNS_TOKEN holds is no token"),
        ("SIGNS_TOKEN", "caf\u00e9-token-1234", "SIGNS_TOKEN holds is no token"),
        ("SIGNS_TOKEN", "line\r\nx-evil: 1234", "SIGNS_TOKEN holds is no token"),
        (SECRET, None, "not the name of an environment variable"),
        ("sk_live_1234567890", None, "not set or empty"),
    ],
)
def test_what_is_no_token_is_said_and_not_repeated(server, monkeypatch, variable, value, words):
    if value is not None:
        monkeypatch.setenv(variable, value)
    with pytest.raises(BadEndpoint, match=words) as caught:
        Endpoint.open(server.url, terms=Terms(token=variable))
    assert caught.value.exit_code == 2
    assert not server.requests
    if variable != "SIGNS_TOKEN" or value:
        said = str(caught.value)
        assert variable not in said or variable == "SIGNS_TOKEN"
        assert not value or value.strip() not in said or not value.strip()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_never_carries_the_token_to_another_origin(server, terms, status):
    endpoint = Endpoint.open(server.url, terms=terms)
    with serving() as other:
        for target in (
            other.url,
            f"{other.url}?token={SECRET}",
            f"//127.0.0.1:{other.server_port}/",
        ):
            server.script = [send(status=status, headers=[("location", target)], body=b"")]
            with pytest.raises(BadEndpoint, match="redirects to") as caught:
                endpoint(X)
            assert SECRET not in str(caught.value)
        assert not other.requests


def test_even_a_client_that_follows_does_not_carry_it_elsewhere(server):
    """The binding does not rest on redirects being refused."""
    bearer = Bearer(SECRET, server.url, "SIGNS_TOKEN")
    with serving() as other:
        server.script = [send(status=307, headers=[("location", other.url)], body=b"")]
        with httpx.Client(auth=bearer, follow_redirects=True, trust_env=False) as client:
            assert client.get(server.url).status_code == 200
            client.get(other.url)
        assert other.authorizations == [None, None]
    assert server.authorizations == [f"Bearer {SECRET}"]
    assert repr(bearer) == "Bearer(SIGNS_TOKEN)"


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://host/v2/models/m", True),
        ("https://HOST:443/elsewhere", True),
        ("http://host/v2/models/m", False),
        ("https://host:8443/v2/models/m", False),
        ("https://host.evil/v2/models/m", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(url, same):
    bearer = Bearer(SECRET, "https://host/v2/models/m", "SIGNS_TOKEN")
    request = next(bearer.auth_flow(httpx.Request("GET", url)))
    assert ("authorization" in request.headers) == same


def test_no_token_travels_in_the_clear(terms):
    for host in ("example.invalid", "10.0.0.1", "[2001:db8::1]", "localhost.evil"):
        with pytest.raises(BadEndpoint, match=r"in the clear: give.*https") as caught:
            Endpoint.open(f"http://{host}/v2/models/m", terms=terms)
        assert SECRET not in str(caught.value)


def test_an_address_from_a_file_gets_no_token_that_was_not_named(server, tmp_path, monkeypatch):
    """Or any file of facts could send the usual token to a host of its own."""
    monkeypatch.setenv("PELLUCID_TOKEN", SECRET)
    facts = tmp_path / "net.pellucid.toml"
    facts.write_text(f'model = "{server.url}"\nemits = "logits"\n')
    with pytest.raises(BadEndpoint, match="wants to know who asks"):
        understand(str(facts))
    assert set(server.authorizations) == {None}
    understand(str(facts), terms=Terms(token="PELLUCID_TOKEN"))


@pytest.mark.parametrize(
    "address",
    [
        f"http://user:{SECRET}@host/v2/models/m",
        f"HTTPS://user:{SECRET}@host/v2/models/m",
        f"http://user:1/{SECRET}@host/v2/models/m",
        f"http://user:{SECRET[:5]}/{SECRET}@host/v2/models/m",
        f"ftp://{SECRET}@host/v2/models/m",
        f"https://host/v2/models/m?key={SECRET}",
        f"https://host/v2/models/m#{SECRET}",
    ],
)
def test_secrets_in_an_address_are_refused_by_every_door_and_not_repeated(address, tmp_path):
    with pytest.raises(BadEndpoint) as caught:
        pellucid.open(address)
    assert SECRET not in str(caught.value)
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["audit", address, "--data", "digits", "--out", str(out)])
    assert result.exit_code == 2
    assert SECRET not in result.output + result.stderr
    assert not out.exists()


@pytest.fixture
def trap(tmp_path):
    """A plan whose checks ask little."""
    path = tmp_path / "plan.toml"
    path.write_text(
        '[[check]]\nkind = "clean.accuracy"\n\n'
        '[[check]]\nkind = "falsify"\nsystem = "square"\nradii = [0.3]\nqueries = 20\n'
    )
    return path


def test_nothing_that_an_audit_writes_holds_the_token(
    server, terms, trap, tmp_path, monkeypatch, caplog
):
    """A server repeats the token wherever it can; one audit ends well, and another fails."""
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    server.metadata = METADATA | {"platform": SECRET, "versions": [SECRET]}
    x = np.random.default_rng(1).uniform(-1, 1, (30, 4)).astype(np.float32)
    np.savez(tmp_path / "data.npz", x=x, y=linear(x).argmax(1))
    command = [
        "audit", server.url, "--data", "data.npz", "--emits", "logits", "--bounds=-1,1",
        "--plan", trap, "--token", terms.token, "--budget", "2000", "--json",
    ]  # fmt: skip

    done = CliRunner().invoke(app, [*map(str, command), "--out", "well"])
    assert done.exit_code == 0, done.output
    server.script = [send({"error": SECRET}, status=422)] * 99
    failed = CliRunner().invoke(app, [*map(str, command), "--out", "badly"])
    assert failed.exit_code == 2
    assert "(the token)" in failed.stderr
    for said in (done.output, done.stderr, failed.output, failed.stderr, caplog.text):
        assert SECRET not in said
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"answers.sqlite", "audit.sqlite", "report.html", "audit.json"} <= {
        path.name for path in written
    }
    for path in written:
        assert SECRET.encode() not in path.read_bytes(), path
    assert f"Bearer {SECRET}" in server.authorizations


class SecureServer(Server):
    """The same server behind TLS, its certificate signed by nobody but itself."""

    def __init__(self, folder):
        super().__init__()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def url(self):
        return super().url.replace("http:", "https:")

    def handle_error(self, request, client_address):
        """Say nothing of those who hang up on the certificate."""


@pytest.mark.skipif(which("openssl") is None, reason="openssl makes the certificate")
def test_a_certificate_is_checked_and_one_that_fails_is_a_sentence(tmp_path, terms, monkeypatch):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    with serving(lambda: SecureServer(tmp_path)) as server:
        with pytest.raises(BadEndpoint, match=r"certificate of https.*SSL_CERT_FILE") as caught:
            Endpoint.open(server.url, terms=terms)
        assert caught.value.exit_code == 2
        assert not server.requests
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        server.token = SECRET
        endpoint = Endpoint.open(server.url, terms=terms)
        np.testing.assert_array_equal(endpoint(X), linear(X))


def test_the_options_reach_the_endpoint(server, terms):
    opened = understand(server.url, declared=Facts(emits="logits"), terms=terms)
    assert opened.calls_at_once == 1
    box = pellucid.open(server.url, token="SIGNS_TOKEN", emits="logits", calls_at_once=3)
    assert box.spec.calls_at_once == 3
