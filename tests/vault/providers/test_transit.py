"""What is particular to the transit engine: its policies, its order of ends, its line."""

import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from domain.errors import KeyUnavailable
from vault import hazmat
from vault.providers import chosen
from vault.providers.port import Context, Purpose, RootState

CONTEXT = Context(b"\x01" * 16, Purpose.KEK, 1)


def test_the_policy_for_operators_is_enough_to_make_turn_and_end_roots_and_not_to_take_them_out(made, bao):
    keeper = made("transit")
    keeper.use(bao.issue("operator", keeper.key))
    operator = keeper.provider()
    operator.generate(1)
    operator.generate(2)
    operator.destroy(1)
    assert operator.health().roots == {1: RootState.DESTROYED, 2: RootState.STANDING}
    administrator, bao.token = bao.token, keeper.secrets[0]
    try:
        for method, path in (
            ("DELETE", f"transit/keys/{keeper.key}"),
            ("GET", f"transit/export/encryption-key/{keeper.key}"),
            ("GET", "transit/keys/another"),
        ):
            with pytest.raises(AssertionError, match="403"):
                bao.ask(method, path)
    finally:
        bao.token = administrator


def test_versions_end_in_their_order_and_the_newest_stays(made):
    keeper = made("transit")
    provider = keeper.provider()
    for epoch in (1, 2, 3):
        provider.generate(epoch)
    with pytest.raises(KeyUnavailable) as caught:
        provider.destroy(2)
    assert caught.value.advice == "Destroy version 1 before 2."
    provider.destroy(1)
    provider.destroy(2)
    with pytest.raises(KeyUnavailable, match="newest"):
        provider.destroy(3)


@pytest.mark.parametrize(
    "settings",
    [
        {"type": "aes256-gcm96"},
        {"type": "chacha20-poly1305", "derived": True},
        {"type": "aes256-gcm96", "derived": True, "exportable": True},
    ],
    ids=["not derived", "another type", "exportable"],
)
def test_a_key_that_does_not_bind_or_does_not_stay_is_refused(made, bao, settings):
    keeper = made("transit")
    bao.ask("POST", f"transit/keys/{keeper.key}", settings)
    with pytest.raises(KeyUnavailable, match="The transit key"):
        keeper.provider().health()


def test_a_token_that_ended_is_refused_and_a_renewed_one_serves_at_once(made, bao):
    keeper = made("transit")
    provider = keeper.provider()
    provider.generate(1)
    keeper.token_file.write_text("s.ended", encoding="utf-8")
    with pytest.raises(KeyUnavailable, match="may not") as caught:
        provider.health()
    assert "s.ended" not in f"{caught.value!r}{caught.value.message}"
    keeper.use(bao.token)
    assert provider.health().newest() == 1


def test_a_sealed_server_is_a_provider_that_is_out(made, bao):
    keeper = made("transit")
    provider = keeper.provider()
    provider.generate(1)
    bao.seal()
    try:
        with pytest.raises(KeyUnavailable, match="503"):
            provider.health()
    finally:
        bao.unseal()
    assert provider.health().newest() == 1


ANSWERS = {
    "no JSON": b"<html>",
    "not an object": b"[]",
    "no data": b"{}",
    "numbers as words": b'{"data": {"type": "aes256-gcm96", "derived": true, "latest_version": "x"}}',
    "without end": b'"' + b"x" * (2 << 20) + b'"',
}


class Answering:
    """A server that answers everything alike, over TLS where it has a certificate."""

    def __init__(self, body, certificate=None):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 - the server's own names

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def placed(server, token, more="", scheme="http"):
    return chosen.place(
        f"transit:{scheme}://127.0.0.1:{server.port}/transit/credence?token=file:{token}{more}"
    ).provider()


@pytest.fixture
def token(tmp_path):
    path = tmp_path / "token"
    path.touch(mode=0o600)
    path.write_text("s.token", encoding="utf-8")
    return path


@pytest.mark.parametrize("body", ANSWERS.values(), ids=ANSWERS)
def test_a_server_that_is_no_transit_engine_is_refused(token, body):
    with Answering(body) as server:
        provider = placed(server, token)
        for act in (provider.health, lambda: provider.wrap([(CONTEXT, hazmat.random_secret())])):
            with pytest.raises(KeyUnavailable) as caught:
                act()
            assert caught.value.advice


def test_a_certificate_is_trusted_where_it_is_named_and_nowhere_else(token, tmp_path):
    if subprocess.run(["which", "openssl"], capture_output=True, check=False).returncode:
        pytest.skip("no openssl here to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]
    made += [
        "-subj",
        "/CN=here",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    subprocess.run(made, check=True, capture_output=True, timeout=30)
    body = (
        b'{"data": {"type": "aes256-gcm96", "derived": true, "latest_version": 2, "min_decryption_version": 2,'
        b' "min_available_version": 0}}'
    )
    with Answering(body, (str(certificate), str(key))) as server:
        trusting = placed(server, token, f"&ca={certificate}", "https")
        assert trusting.health().roots == {1: RootState.DISABLED, 2: RootState.STANDING}
        with pytest.raises(KeyUnavailable, match="certificate"):
            placed(server, token, "", "https").health()
        with pytest.raises(KeyUnavailable, match="certificates"):
            placed(server, token, f"&ca={tmp_path / 'none.pem'}", "https").health()
