from __future__ import annotations

import hashlib
import http.server
import socket
import threading

import pytest

from videohoi.errors import ModelError, UsageError
from videohoi.models.pull import pull
from videohoi.models.registry import PublicModel

CONTENT = b"\x08" + b"weights" * 100_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """/whole serves the file, /cut stops half way, /page is a web page, the rest is not there."""

    def do_GET(self):
        if self.path == "/page":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>please log in</html>")
            return
        if self.path not in ("/whole", "/cut"):
            self.send_error(404)
            return
        self.server.served.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT if self.path == "/whole" else CONTENT[: len(CONTENT) // 2])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.served = []
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VIDEOHOI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path / "cache"


def catalogue(url, sha256=DIGEST):
    return {"toy": PublicModel("toy", "a toy", "Apache-2.0", url, sha256, 416)}


def at(server, path):
    return f"http://127.0.0.1:{server.server_address[1]}{path}"


def left_in(cache):
    return sorted(path.name for path in cache.iterdir()) if cache.exists() else []


def test_fetches_checks_and_keeps(server, cache):
    seen = []
    pulled = pull(
        "toy", catalogue=catalogue(at(server, "/whole")), progress=lambda done, total: seen.append((done, total))
    )
    assert pulled.path.read_bytes() == CONTENT
    assert (pulled.sha256, pulled.verified, pulled.downloaded) == (DIGEST, True, True)
    assert left_in(cache) == ["toy.onnx"]
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_what_is_there_is_not_fetched_again(server):
    entries = catalogue(at(server, "/whole"))
    pull("toy", catalogue=entries)
    assert pull("toy", catalogue=entries).downloaded is False
    assert server.served == ["/whole"]


def test_wrong_checksum_keeps_nothing(server, cache):
    with pytest.raises(ModelError, match=f"sha256 is {DIGEST}, expected {'0' * 64}"):
        pull("toy", catalogue=catalogue(at(server, "/whole"), "0" * 64))
    assert left_in(cache) == []


def test_a_spoilt_file_in_the_cache_is_noticed(server, cache):
    entries = catalogue(at(server, "/whole"))
    pull("toy", catalogue=entries).path.write_bytes(b"spoilt")
    with pytest.raises(ModelError, match="delete it and pull again"):
        pull("toy", catalogue=entries)


def test_broken_connection_keeps_nothing(server, cache):
    with pytest.raises(ModelError, match=r"connection broke after 350,000 of 700,001 bytes|cannot fetch toy"):
        pull("toy", catalogue=catalogue(at(server, "/cut")))
    assert left_in(cache) == []


def test_not_found_on_the_server(server, cache):
    url = at(server, "/elsewhere")
    with pytest.raises(ModelError, match=rf"the server answered 404.*download {url} by hand"):
        pull("toy", catalogue=catalogue(url))
    assert left_in(cache) == []


def test_no_checksum_on_record_needs_consent(server):
    entries = catalogue(at(server, "/whole"), None)
    with pytest.raises(UsageError, match="--accept-unverified"):
        pull("toy", catalogue=entries)
    assert server.served == []
    pulled = pull("toy", catalogue=entries, accept_unverified=True)
    assert (pulled.verified, pulled.sha256) == (False, DIGEST)


def test_a_web_page_is_no_model(server, cache):
    with pytest.raises(ModelError, match="is no ONNX file"):
        pull("toy", catalogue=catalogue(at(server, "/page"), None), accept_unverified=True)
    assert left_in(cache) == []


def test_offline_says_what_to_do_by_hand(cache):
    with socket.socket() as taken:  # bound but not listening: every connection is refused
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/toy.onnx"
        with pytest.raises(ModelError) as error:
            pull("toy", catalogue=catalogue(url), timeout_seconds=5)
    assert f"download {url} by hand and use --detector onnx:FILE" in str(error.value)
    assert "\n" not in str(error.value)
    assert left_in(cache) == []


def test_a_cache_that_cannot_be_made_is_named(server, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("VIDEOHOI_CACHE", str(tmp_path / "file" / "below"))
    with pytest.raises(ModelError, match="set VIDEOHOI_CACHE"):
        pull("toy", catalogue=catalogue(at(server, "/whole")))


def test_unknown_name(cache):
    with pytest.raises(UsageError, match="did you mean yolox_nano"):
        pull("yolox_nan")
