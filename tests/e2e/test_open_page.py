"""`maillab open webmail`: the page in a browser on this computer, and nothing of the lab that is open to it."""

import contextlib
import re
import shutil
import signal
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from driver.lab import Lab
from driver.machine import Patience
from maillab.cli.open_page import LabPage, refuse_unreachable
from maillab.cli.problem import MaillabError
from maillab.cli.stack import Stack
from tests.support.pop3 import passwords
from tests.support.status import maillab, start_maillab, status_of

URL, MAIL = "https://mail.yaes.example/", "163.32.182.2"
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"  # the browser asks nobody anything
COMMANDS = "pgrep -fc '^python3 -ISc'"


@contextlib.contextmanager
def opened(lab: Lab) -> Iterator[str]:
    """The page's address here; Ctrl-C ends the command well."""
    with start_maillab(lab, "open", "webmail", "--no-browser") as process:
        assert process.stdout
        said = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", said)
        try:
            assert found, said or process.communicate()[1]
            yield found[0]
        finally:
            process.send_signal(signal.SIGINT)
            _, err = process.communicate()
    assert (process.returncode, err) == (0, "")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, on this computer."""
    chromium = shutil.which("chromium") or pytest.skip("no Chromium here (apt install chromium)")
    expect.set_options(timeout=60_000 * Patience.factor)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=[ALONE])
        try:
            yield started
        finally:
            started.close()


def test_somebody_logs_in_in_a_browser_of_this_computer(standalone: Lab, browser: Browser) -> None:
    """He stays at 127.0.0.1, and is told of nothing that is not safe."""
    warned: list[str] = []
    with opened(standalone) as url, browser.new_context(locale="zh-TW") as context:
        page = context.new_page()
        page.on("console", lambda message: warned.append(message.text))
        page.goto(url)
        page.fill("#rcmloginuser", "chen")
        page.fill("#rcmloginpwd", passwords(standalone["mail"])["chen"])
        page.get_by_role("button", name="登入").click()
        expect(page.locator("#mailboxlist a", has_text="收件匣")).to_be_visible()
        assert page.url.startswith(url)
        assert warned == []


def test_nothing_stays_behind(standalone: Lab) -> None:
    """Neither of a connection that waits for more of its request."""
    with opened(standalone) as url:
        place = ("127.0.0.1", urlsplit(url).port or 0)
        with socket.create_connection(place) as connection:
            head = f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{place[1]}\r\nContent-Length: 10\r\n\r\n"
            connection.sendall(head.encode())
            standalone["workstation"].wait_until_succeeds(COMMANDS)
    assert standalone["workstation"].execute(COMMANDS).output.strip() == "0"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(place)


def test_certificate_of_another_name_is_refused(standalone: Lab) -> None:
    """By the workstation: the browser sees no certificate."""
    page = LabPage(name="webmail", url=urlsplit(f"https://{MAIL}/"), machine="mail", workstation="workstation")
    prefix = (standalone["workstation"].container.name or "").removesuffix("workstation")
    with pytest.raises(MaillabError, match="the certificate of mail is not good"):
        refuse_unreachable(Stack(name=standalone.stack), page, page.command(prefix), standalone.environment)


def test_page_is_in_the_status(standalone: Lab) -> None:
    assert status_of(standalone).whole["pages"] == {"webmail": URL}


def test_page_is_in_the_outputs(standalone: Lab) -> None:
    assert f'"webmail": "{URL}"' in maillab(standalone, "outputs").stdout
