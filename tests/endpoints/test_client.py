"""Asking a model server: what goes out, what comes back, and every way in which nothing does."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from functools import partial
from ipaddress import ip_address

import httpx2
import pytest

from app.endpoints import client
from app.endpoints.addresses import BadAddress, checked_url, is_allowed
from app.endpoints.client import NoAnswer, Server, ask
from tests.endpoints.modelserver import ModelServer, refusing, send

QUESTION = [{"role": "system", "content": "Criticise."}, {"role": "user", "content": "Rice?"}]
KEY = "sk-canary-73f1b0"


@pytest.fixture
def model():
    with ModelServer() as server:
        yield server


def server(model, **changed):
    return Server(**{"name": "local", "base_url": model.url, "model": "qwen", "inside": True, "seconds": 5.0} | changed)


def why_not(model, **changed):
    with pytest.raises(NoAnswer) as refused:
        ask(server(model, **changed), QUESTION, most_tokens=50)
    assert KEY not in str(refused.value)
    assert KEY not in repr(refused.value.__cause__)
    return refused.value.message


def test_the_words_come_back_with_what_is_known_of_them(model):
    reply = ask(server(model, key=KEY), QUESTION, most_tokens=50)
    assert reply.words == model.words
    assert (reply.model, reply.cut, reply.tokens) == ("qwen", False, 21)
    assert 0 < reply.seconds < 5
    assert model.asked == [{"model": "qwen", "messages": QUESTION, "stream": False, "max_tokens": 50}]
    assert model.paths == ["/v1/chat/completions"]
    assert model.headers[0]["authorization"] == f"Bearer {KEY}"
    assert model.headers[0]["host"] == model.url.split("/")[2]


def test_without_a_key_none_is_sent(model, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # neither proxies nor credentials of the environment
    monkeypatch.setenv("NETRC", "/nonexistent")
    ask(server(model), QUESTION, most_tokens=50)
    assert "authorization" not in model.headers[0]


def test_a_model_that_knows_the_limit_by_its_newer_name_is_asked_again(model):
    def choosy(handler, body):
        if "max_tokens" in body:
            send(handler, 400, {"error": {"message": "Use 'max_completion_tokens' instead."}})
        else:
            model.say(handler, body)

    model.answer = choosy
    assert ask(server(model), QUESTION, most_tokens=50).words == model.words
    assert model.asked[1]["max_completion_tokens"] == 50


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusing(401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}), "the API key is not one"),
        (refusing(404, {"error": {"message": "no such model"}}), "knows no model “qwen”"),
        (refusing(429, {}, Retry_After="17"), r"too much to do \(429\); try again in 17 s"),
        (refusing(429, {}, Retry_After="soon"), "try again in a while"),
        (refusing(400, {"error": {"message": "context\nlength\0 exceeded"}}), "400: context length\ufffd exceeded"),
        (refusing(400, {"error": KEY}), r"400: …"),
        (refusing(500, b"<html>"), r"it failed itself \(500\)"),
        (refusing(302, b"", Location="http://169.254.169.254/"), "another address, which is not followed"),
        (refusing(200, b"<html>hello"), "is not JSON"),
        (refusing(200, b"[" * 200_000), "is not JSON"),
        (refusing(200, {"choices": []}), "not as an OpenAI-style server does"),
        (refusing(200, ["choices"]), "not as an OpenAI-style server does"),
        (refusing(200, {"choices": [{"message": {"content": None}}]}), "its answer is empty"),
        (refusing(200, b"x" * 2_100_000), "larger than 2 MB"),
        (refusing(200, b"\x1f\x8b", Content_Encoding="gzip"), "packed answers"),
    ],
)
def test_what_a_server_does_wrong_is_said_in_words(model, answer, words):
    model.answer = answer
    with pytest.raises(NoAnswer, match=words):
        ask(server(model, key=KEY), QUESTION, most_tokens=50)
    assert KEY not in why_not(model, key=KEY)


def test_a_server_that_wants_a_key_is_told_from_one_that_takes_another(model):
    model.answer = refusing(401)
    assert "it asks for an API key (401)" in why_not(model)


def test_odd_answers_are_read(model):
    content = [
        {"type": "text", "text": "<think>hm</think>\n"},
        {"type": "image"},
        {"type": "text", "text": "So\ud800\0"},
    ]
    answer = {"choices": [{"message": {"content": content}, "finish_reason": "length"}], "usage": 3, "model": None}
    model.answer = lambda handler, _: send(handler, 200, answer)
    reply = ask(server(model), QUESTION, most_tokens=50)
    assert (reply.words, reply.cut, reply.tokens, reply.model) == ("So\ufffd\ufffd", True, None, "qwen")
    model.words, model.answer = "x" * 30_000, None
    reply = ask(server(model), QUESTION, most_tokens=50)
    assert (len(reply.words), reply.cut) == (20_000, True)


def test_nobody_there_is_told_from_nobody_answering(model):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    assert "refuses connections" in why_not(model, base_url=f"http://127.0.0.1:{port}/v1")
    assert "no machine called nowhere.invalid" in why_not(model, base_url="https://nowhere.invalid/v1")
    model.answer = model.hold
    assert "did not answer within 0.3 s" in why_not(model, seconds=0.3)


def test_a_server_that_drips_is_left_in_time(model):
    def drip(handler, _):
        handler.send_response(200)
        handler.end_headers()
        while not model.let_go.wait(0.05):
            try:
                handler.wfile.write(b" ")
            except OSError:
                return

    model.answer = drip
    began = time.monotonic()
    assert "did not answer within 0.4 s" in why_not(model, seconds=0.4)
    assert time.monotonic() - began < 20


def test_stopping_cuts_the_connection(model):
    class Stopped(Exception):
        pass

    def check():
        if model.begun.is_set():
            raise Stopped

    model.answer = model.hold
    began = time.monotonic()
    with pytest.raises(Stopped):
        ask(server(model, seconds=30), QUESTION, most_tokens=50, check=check)
    assert time.monotonic() - began < 20
    assert [one for one in threading.enumerate() if one.name.startswith("asyncio")] == []


@pytest.mark.parametrize(
    ("typed", "inside", "kept"),
    [
        ("http://127.0.0.1:8000/v1/", True, "http://127.0.0.1:8000/v1"),
        (" https://api.example.org/v1/chat/completions ", False, "https://api.example.org/v1"),
        ("http://[::1]:8000/v1", True, "http://[::1]:8000/v1"),
    ],
)
def test_an_address_is_kept_without_what_is_pasted_behind_it(typed, inside, kept):
    assert checked_url(typed, inside=inside) == kept


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("ftp://host/v1", "http://"),
        ("file:///etc/passwd", "http://"),
        ("gopher://127.0.0.1/", "http://"),
        ("https://me:word@host/v1", "a field for the key"),
        ("https://host/v1?key=1", "ends with its path"),
        ("https://host/v1#x", "ends with its path"),
        ("https://host\\@evil/v1", "without blanks"),
        ("https:///v1", "no host"),
        ("https://ho st/v1", "without blanks"),
        ("https://host:99999/v1", "cannot be read"),
        ("https://höst/v1", "plain characters"),
        ("http://api.example.org/v1", "has to be https"),
        ("https://" + "a" * 600, "at most 500"),
    ],
)
def test_a35_what_is_no_address_is_refused_with_the_reason(typed, words):
    with pytest.raises(BadAddress, match=words):
        checked_url(typed, inside=False)


@pytest.mark.parametrize(
    ("number", "outside", "inside"),
    [
        ("93.184.215.14", True, True),
        ("2606:2800:21f:cb07::1", True, True),
        ("127.0.0.1", False, True),
        ("10.1.2.3", False, True),
        ("100.64.0.7", False, True),
        ("fd12::5", False, True),
        ("::ffff:10.0.0.1", False, True),
        ("64:ff9b::7f00:1", False, True),
        ("169.254.169.254", False, False),
        ("::ffff:169.254.169.254", False, False),
        ("64:ff9b::a9fe:a9fe", False, False),
        ("2002:a9fe:a9fe::1", False, False),
        ("fe80::1", False, False),
        ("fd00:ec2::254", False, False),
        ("100.100.100.200", False, False),
        ("0.0.0.0", False, False),  # noqa: S104 - refused
        ("::", False, False),
        ("224.0.0.1", False, False),
        ("255.255.255.255", False, False),
    ],
)
def test_a35_where_a_connection_may_go(number, outside, inside):
    assert is_allowed(ip_address(number), inside=False) is outside
    assert is_allowed(ip_address(number), inside=True) is inside


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
def test_a35_no_spelling_of_a_private_address_is_called_unless_it_was_registered(model, host):
    port = model.url.split(":")[2]
    refused = why_not(model, base_url=f"http://{host}:{port}", inside=False)
    assert "an address of your own network" in refused or "no machine called" in refused
    assert model.asked == []


def test_a35_a_name_is_resolved_once_and_the_connection_goes_there(model, monkeypatch):
    asked = []

    async def once(url, *, inside):
        asked.append(url)
        return ["127.0.0.1"]

    monkeypatch.setattr(client, "resolved", once)
    port = model.url.rpartition(":")[2]
    ask(server(model, base_url=f"http://model.example.org:{port}"), QUESTION, most_tokens=5)
    assert asked == [f"http://model.example.org:{port}"]
    assert model.headers[0]["host"] == f"model.example.org:{port}".removesuffix("/v1")


@pytest.fixture
def certificate(tmp_path):
    """A certificate of model.example.org, signed by itself, with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make a certificate with")
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=model.example.org",
         "-addext", "subjectAltName=DNS:model.example.org", "-out", files[0], "-keyout", files[1]],
        check=True, capture_output=True,
    )  # fmt: skip
    return files


def test_a35_the_certificate_is_that_of_the_name_though_the_connection_goes_to_a_number(
    model, certificate, monkeypatch
):
    async def once(url, *, inside):
        return ["127.0.0.1"]

    asked_for = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.sni_callback = lambda _socket, name, _context: asked_for.append(name)
    model.server.socket = context.wrap_socket(model.server.socket, server_side=True)
    monkeypatch.setattr(client, "resolved", once)
    at = f"https://model.example.org:{model.server.server_port}/v1"
    assert "not one that this machine trusts" in why_not(model, base_url=at, inside=False)
    trusting = ssl.create_default_context(cafile=certificate[0])
    monkeypatch.setattr(client.httpx2, "AsyncClient", partial(httpx2.AsyncClient, verify=trusting))
    assert ask(server(model, base_url=at, inside=False), QUESTION, most_tokens=5).words == model.words
    assert set(asked_for) == {"model.example.org"}
    other = at.replace("model.", "other.")
    assert "not one that this machine trusts" in why_not(model, base_url=other, inside=False)
    assert len(model.asked) == 1
