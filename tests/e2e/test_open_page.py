"""`maillab open webmail`: the page in a browser on this computer, and nothing of the lab that is open to it."""

import contextlib
import pathlib
import re
import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from driver.lab import Lab
from driver.machine import Patience, wait_until
from maillab.cli.open_page import LabPage, refuse_unreachable
from maillab.cli.problem import MaillabError
from maillab.cli.stack import Stack
from tests.support import browser as support
from tests.support.pop3 import passwords
from tests.support.status import maillab, start_maillab, status_of

URL, MAIL = "https://mail.yaes.example/", "163.32.182.2"
HERE = "http://127.0.0.1:8080/"
PROGRAM = pathlib.Path(support.__file__).with_name("browser-and-page")
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


@pytest.fixture
def browser(standalone: Lab) -> Iterator[Browser]:
    """Chromium, with the page at port 8080."""
    chromium = shutil.which("chromium") or pytest.skip("no Chromium here (apt install chromium)")
    environment: dict[str, str | float | bool] = {
        **standalone.environment,
        "FOLDER": str(standalone.folder),
        "PYTHONPATH": str(standalone.folder),
        "STACK": standalone.stack,
        "MAILLAB_PYTHON": sys.executable,
        "CHROMIUM": chromium,
    }
    expect.set_options(timeout=60_000 * Patience.factor)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=PROGRAM, args=[ALONE], env=environment)
        try:
            yield started
        finally:
            started.close()


def visited(page: Page, url: str) -> bool:
    """Is the page there? Nobody listens yet when the browser has started before."""
    try:
        return page.goto(url) is not None
    except Error:
        return False


def test_somebody_logs_in_in_a_browser_of_this_computer(standalone: Lab, browser: Browser) -> None:
    """Nothing leads him away from 127.0.0.1, which browsers take for a safe place."""
    asked: list[str] = []
    with browser.new_context(locale="zh-TW") as context:
        page = context.new_page()
        wait_until("the page", lambda: visited(page, HERE), 60)
        page.on("request", lambda request: asked.append(request.url))
        page.fill("#rcmloginuser", "chen")
        page.fill("#rcmloginpwd", passwords(standalone["mail"])["chen"])
        page.get_by_role("button", name="登入").click()
        expect(page.locator("#mailboxlist a", has_text="收件匣")).to_be_visible()
        assert page.evaluate("isSecureContext")
    assert [url for url in asked if not url.startswith((HERE, "data:"))] == []
    assert len(asked) > 10


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
