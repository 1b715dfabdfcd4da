"""What a browser and a server say to each other, between http://127.0.0.1 and the page's own address."""

import pytest

from maillab.pages.heads import Heads

HEADS = Heads.of("https://mail.yaes.example/webmail/", 8000)
HERE = b"127.0.0.1:8000"


def head(*lines: str) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode()


def lines(data: bytes) -> list[str]:
    return data.decode().lower().split("\r\n")


def test_server_is_asked_by_its_name() -> None:
    asked = lines(HEADS.request(head("GET /webmail/ HTTP/1.1", "Host: 127.0.0.1:8000", "Accept: a:b")))
    assert asked[0] == "get /webmail/ http/1.1"
    assert [line for line in asked if line.startswith("host:")] == ["host: mail.yaes.example"]
    assert "accept: a:b" in asked


def test_port_of_the_page_is_in_its_name() -> None:
    asked = Heads.of("http://filter.example:11334/", 8000).request(head("GET / HTTP/1.1", "Host: 127.0.0.1:8000"))
    assert b"Host: filter.example:11334\r\n" in asked


@pytest.mark.parametrize("name", ["Origin", "Referer"])
def test_page_that_asks_is_the_server_s_own(name: str) -> None:
    asked = lines(HEADS.request(head("POST / HTTP/1.1", "Host: localhost:8000", f"{name}: http://localhost:8000")))
    assert f"{name.lower()}: https://mail.yaes.example" in asked


def test_another_page_that_asks_is_named_as_it_is() -> None:
    other = "http://127.0.0.1:8000.evil.example"
    asked = lines(HEADS.request(head("POST / HTTP/1.1", "Host: 127.0.0.1:8000", f"Origin: {other}")))
    assert f"origin: {other}" in asked


def test_connection_is_for_one_request() -> None:
    given = head("GET / HTTP/1.1", "Host: 127.0.0.1:8000", "Connection: keep-alive", "Expect: 100-continue")
    asked = lines(HEADS.request(given))
    assert [line for line in asked if line.startswith(("connection", "expect"))] == ["connection: close"]
    told = lines(HEADS.answer(head("HTTP/1.1 200 OK", "Connection: keep-alive", "Keep-Alive: timeout=5"), HERE))
    assert [line for line in told if "alive" in line or "connection" in line] == ["connection: close"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://mail.yaes.example/a?b", "http://127.0.0.1:8000/a?b"),
        ("https://mail.yaes.example:443/a", "http://127.0.0.1:8000/a"),
        ("http://mail.yaes.example/a", "http://127.0.0.1:8000/a"),
        ("https://mail.yaes.example", "http://127.0.0.1:8000"),
        ("./?_task=mail", "./?_task=mail"),
        ("https://mail.yaes.example.org/", "https://mail.yaes.example.org/"),
    ],
)
def test_redirection_leads_nobody_away(given: str, expected: str) -> None:
    assert f"location: {expected}" in lines(HEADS.answer(head("HTTP/1.1 302 Found", f"Location: {given}"), HERE))


def test_redirection_stays_at_the_name_that_was_asked() -> None:
    told = HEADS.answer(head("HTTP/1.1 302 Found", "Location: https://mail.yaes.example/"), b"localhost:8000")
    assert b"location: http://localhost:8000/" in told


def test_cookie_is_for_this_place_and_every_browser() -> None:
    cookie = "Set-Cookie: id=secure; Path=/; Domain=mail.yaes.example; Secure; HttpOnly; SameSite=Lax"
    told = lines(HEADS.answer(head("HTTP/1.1 200 OK", cookie), HERE))
    assert "set-cookie: id=secure; path=/; httponly; samesite=lax" in told


def test_each_cookie_stays() -> None:
    told = HEADS.answer(head("HTTP/1.1 200 OK", "Set-Cookie: a=1; secure", "Set-Cookie: b=2"), HERE)
    assert (b"set-cookie: a=1\r\n" in told, b"set-cookie: b=2\r\n" in told) == (True, True)


@pytest.mark.parametrize(
    "given",
    [("Host: evil.example",), ("Host: evil.example:8000",), ("Host: 127.0.0.1:8001",), (), ("Host: 127.0.0.1",)],
    ids=str,
)
def test_other_names_are_of_other_places(given: tuple[str, ...]) -> None:
    assert HEADS.host(head("GET / HTTP/1.1", *given)) not in HEADS.hosts


def test_two_names_are_none() -> None:
    assert HEADS.host(head("GET / HTTP/1.1", "Host: 127.0.0.1:8000", "Host: evil.example")) == b""


@pytest.mark.parametrize("name", ["127.0.0.1:8000", "LOCALHOST:8000"])
def test_own_names(name: str) -> None:
    assert HEADS.host(head("GET / HTTP/1.1", f"Host: {name}")) in HEADS.hosts


@pytest.mark.parametrize("field", ['Clear-Site-Data: "*"', "Service-Worker-Allowed: /", "Alt-Svc: h3"])
def test_page_does_not_rule_over_what_else_is_at_this_address(field: str) -> None:
    """127.0.0.1 is other programs' as well."""
    told = HEADS.answer(head("HTTP/1.1 200 OK", field, "X-Other: stays"), HERE)
    assert field.lower().partition(":")[0].encode() not in told.lower()
    assert b"X-Other: stays".lower() in told.lower()


def test_service_worker_is_seen() -> None:
    assert HEADS.is_for_a_worker(head("GET /w.js HTTP/1.1", "Host: 127.0.0.1:8000", "Service-Worker: script"))
    assert not HEADS.is_for_a_worker(head("GET /w.js HTTP/1.1", "Host: 127.0.0.1:8000", "X: Service-Worker: script"))
