"""Webmail in a real browser: log in, read, send, in Chinese; and what keeps it safe."""

import email.policy
import pathlib
import re
import secrets
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from driver.lab import Lab
from driver.machine import wait_until
from driver.mail import Message, mailbox, new_message_id
from tests.support.browser import browser_of
from tests.support.delivered import deliver
from tests.support.pop3 import passwords
from tests.support.smtp_auth import HOST
from tests.support.status import status_of

URL = f"https://{HOST}/"
WENDY, CHEN, LIN = "wendy@example.com", "chen@yaes.example", "lin@yaes.example"
NOTICE, REPLY = "三月八日公文.odt", "回條－陳老師.txt"
CONTENT = "明日停課一天，請查照。\n"
ROUNDCUBE = "/var/lib/roundcube/db"


@pytest.fixture(scope="module")
def browser(standalone: Lab) -> Iterator[Browser]:
    """A browser on the school's network."""
    with browser_of(standalone, HOST) as found:
        yield found


@pytest.fixture(scope="module")
def notice(standalone: Lab) -> Message:
    """A message with a Chinese subject and a file of a Chinese name, in chen's mailbox."""
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"], message["Message-ID"] = f"王小明 <{WENDY}>", CHEN, new_message_id()
    message["Subject"], message["Date"] = f"校外教學通知 {secrets.token_hex(4)}", "Wed, 08 Mar 2006 10:00:00 +0800"
    message.set_content("各位老師好：\n\n附上公文。\n")
    message.add_attachment(CONTENT.encode(), "application", "vnd.oasis.opendocument.text", filename=NOTICE)
    mail = Message(message_id=str(message["Message-ID"]), raw=message.as_bytes())
    deliver(standalone, "outside", WENDY, CHEN, mail)
    return mail


@pytest.fixture
def login_page(browser: Browser) -> Iterator[Page]:
    """Where somebody logs in."""
    with browser.new_context(locale="zh-TW", viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        page.goto(URL)
        yield page


@pytest.fixture
def chens(login_page: Page, standalone: Lab, notice: Message) -> Page:
    """Chen's webmail, with the notice in the list."""
    enter(login_page, standalone, "chen")
    expect(listed(login_page, subject_of(notice))).to_be_visible()
    return login_page


def log_in(page: Page, user: str, password: str) -> None:
    """What a person does on the first page."""
    page.fill("#rcmloginuser", user)
    page.fill("#rcmloginpwd", password)
    page.get_by_role("button", name="登入").click()


def enter(page: Page, lab: Lab, user: str) -> None:
    """The same with the user's password, until the pages can be used."""
    log_in(page, user, passwords(lab["mail"])[user])
    wait_for_list(page)


def wait_for_list(page: Page) -> None:
    """Until the list of messages is there, and does what a person wants of it."""
    page.wait_for_function("window.rcmail && rcmail.env.action !== 'compose' && rcmail.commands.list && !rcmail.busy")


def subject_of(mail: Message) -> str:
    """As people read it."""
    return str(email.message_from_bytes(mail.raw, policy=email.policy.default)["Subject"])


def listed(page: Page, subject: str) -> Locator:
    """The line of a message in the list that is shown."""
    return page.locator("#messagelist tr.message", has_text=subject)


def opened(page: Page, subject: str) -> FrameLocator:
    """A message of the list, beside it."""
    listed(page, subject).locator("td.subject a").click()
    return page.frame_locator("#messagecontframe")


def write(page: Page, recipient: str, subject: str, *files: pathlib.Path) -> None:
    """A new message, which is sent."""
    page.get_by_role("button", name="撰寫新郵件").click()
    page.locator("#compose_to .recipient-input input").fill(recipient)
    page.fill("#compose-subject", subject)
    page.fill("#composebody", "附上回條。\n")
    for file in files:
        page.locator("#uploadform input[type=file]").set_input_files(file)
        expect(page.locator("#attachment-list li:not(.uploading)", has_text=file.name)).to_be_visible()
    page.get_by_role("button", name="寄出").click()


@pytest.fixture(scope="module")
def reply(standalone: Lab, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> EmailMessage:
    """What lin gets of a message with a file of a Chinese name that chen has written in the browser."""
    subject, file = f"回條 {secrets.token_hex(4)}", tmp_path_factory.mktemp("files") / REPLY
    file.write_text(CONTENT, encoding="utf-8")
    with browser.new_context(locale="zh-TW") as context:
        page = context.new_page()
        page.goto(URL)
        enter(page, standalone, "chen")
        write(page, LIN, subject, file)
        wait_for_list(page)
        page.locator("#mailboxlist a", has_text="寄件備份").click()
        expect(listed(page, subject)).to_be_visible()  # a copy in Sent

    def found() -> EmailMessage | None:
        return next((one for one in mailbox(standalone["mail"], "lin") if one["Subject"] == subject), None)

    return wait_until(f"{subject} in lin's mailbox", found)


def test_pages_are_in_chinese(login_page: Page) -> None:
    expect(login_page.get_by_role("button", name="登入")).to_be_visible()
    expect(login_page.get_by_placeholder("使用者密碼")).to_be_visible()


def test_school_is_named(login_page: Page) -> None:
    expect(login_page).to_have_title(re.compile("yaes Webmail"))


def test_wrong_password_opens_nothing(login_page: Page) -> None:
    log_in(login_page, "chen", "lab-chen-2007")
    expect(login_page.get_by_text("登入失敗")).to_be_visible()


def test_user_is_the_same_with_and_without_the_domain(login_page: Page, standalone: Lab) -> None:
    log_in(login_page, CHEN, passwords(standalone["mail"])["chen"])
    expect(login_page.locator(".header-title.username")).to_have_text(CHEN)


def test_message_in_chinese_is_read(chens: Page, notice: Message) -> None:
    message = opened(chens, subject_of(notice))
    expect(message.get_by_role("heading", name=subject_of(notice))).to_be_visible()
    expect(message.locator("#messagebody")).to_contain_text("附上公文。")


def test_attachment_is_fetched_by_its_chinese_name(chens: Page, notice: Message) -> None:
    message = opened(chens, subject_of(notice))
    with chens.expect_download() as found:
        message.locator("#attachment-list a.filename").click()
    assert found.value.suggested_filename == NOTICE
    assert found.value.path().read_text(encoding="utf-8") == CONTENT


def test_attachment_arrives_by_its_chinese_name(reply: EmailMessage) -> None:
    (found,) = reply.iter_attachments()
    assert (found.get_filename(), found.get_payload(decode=True)) == (REPLY, CONTENT.encode())


def test_what_is_sent_passes_the_filter_once(reply: EmailMessage) -> None:
    assert len([line for line in reply.get_all("Received", []) if "amavis" in line]) == 1


def test_what_is_sent_comes_from_who_has_logged_in(reply: EmailMessage, standalone: Lab) -> None:
    logged = standalone["mail"].succeed("grep -F sasl_username= /var/log/mail.log")
    assert reply["Return-Path"] == f"<{CHEN}>"
    assert f"client=localhost[::1], sasl_method=LOGIN, sasl_username={CHEN}" in logged


def test_nobody_sends_in_anothers_name(login_page: Page, standalone: Lab) -> None:
    """Webmail lets a user change his address; the server does not let him use it."""
    enter(login_page, standalone, "manager")
    login_page.get_by_role("button", name="設定").click()
    login_page.get_by_role("button", name="身份資訊").click()
    login_page.locator("#identities-table td").first.click()
    form = login_page.frame_locator("#preferences-frame")
    form.locator("input[name=_email]").fill(LIN)
    form.get_by_role("button", name="儲存").click()
    expect(login_page.get_by_text("儲存成功")).to_be_visible()
    write(login_page, CHEN, "forged")
    expect(login_page.get_by_text("553")).to_be_visible()


TLS = """
import imaplib, poplib, ssl, sys
kind, host, user, password = sys.argv[1:]
context = ssl.create_default_context()
if kind == "imaps":
    box = imaplib.IMAP4_SSL(host, ssl_context=context)
elif kind == "pop3s":
    box = poplib.POP3_SSL(host, context=context)
elif kind == "imap":
    box = imaplib.IMAP4(host)
    box.starttls(context)
else:
    box = poplib.POP3(host)
    box.stls(context)
if isinstance(box, imaplib.IMAP4):
    print(box.login(user, password)[0])
else:
    box.user(user)
    print(box.pass_(password)[:3].decode())
"""


@pytest.mark.parametrize(("kind", "answer"), [("imaps", "OK"), ("imap", "OK"), ("pop3s", "+OK"), ("pop3", "+OK")])
def test_mail_is_fetched_over_encrypted_connections(standalone: Lab, kind: str, answer: str) -> None:
    """The client takes a certificate of the lab's authority with the server's name, and no other."""
    password = passwords(standalone["mail"])["lin"]
    assert standalone["workstation"].python(TLS, kind, HOST, "lin", password).strip() == answer


def curl(lab: Lab, machine: str, words: str) -> str:
    """What curl prints there."""
    return lab[machine].succeed(f"curl --silent --show-error --output /dev/null {words}").strip()


@pytest.mark.parametrize("version", [4, 6])
def test_page_is_there_on_both_families(standalone: Lab, version: int) -> None:
    assert curl(standalone, "workstation", f"-{version} --write-out '%{{http_code}}' {URL}") == "200"


def test_page_is_there_after_an_update_of_something_else(standalone: Lab) -> None:
    """PHP remembers neither a file's former place nor what was in it."""
    before, after = "abuse: admin", "abuse: manager"
    codes = f"-w '%{{http_code}} ' {' -o /dev/null '.join([URL] * 6)}"
    assert curl(standalone, "workstation", codes).split() == ["200"] * 6
    try:
        standalone.edit(before, after)
        standalone.up()
    finally:
        standalone.edit(after, before)
        standalone.up()
    # Of what was in force before, only the last is kept: what was read at first is gone.
    assert curl(standalone, "workstation", codes).split() == ["200"] * 6


def test_http_leads_to_https(standalone: Lab) -> None:
    found = curl(standalone, "workstation", f"--write-out '%{{http_code}} %{{redirect_url}}' 'http://{HOST}/a?b=c'")
    assert found == f"308 {URL}a?b=c"


def test_others_can_not_ask_for_its_health(standalone: Lab) -> None:
    there = curl(standalone, "workstation", f"--write-out '%{{http_code}}' http://{HOST}/maillab-health.php")
    assert there == "404"


def test_service_restart_leaves_one_server(standalone: Lab) -> None:
    mail = standalone["mail"]
    mail.succeed("service lighttpd restart && service lighttpd restart")
    mail.wait_until_succeeds("/usr/lib/maillab/roles/webmail health")
    assert mail.succeed("pgrep --count --exact lighttpd").strip() == "1"


def test_key_is_the_machines_own(standalone: Lab) -> None:
    """Sessions keep passwords, encrypted with it."""
    found = standalone["mail"].succeed(f"stat --format '%U %a' {ROUNDCUBE}/key; tr -d '\\n' <{ROUNDCUBE}/key | wc -c")
    assert found.split() == ["www-data", "600", "24"]


@pytest.mark.parametrize(
    ("damage", "repair", "words"),
    [
        ("service lighttpd stop", "service lighttpd start", "lighttpd is not running"),
        (f"mv {ROUNDCUBE}/key /root/", f"mv /root/key {ROUNDCUBE}/", "webmail does not work"),
        (f"mv {ROUNDCUBE}/roundcube.db /root/", f"mv /root/roundcube.db {ROUNDCUBE}/", "webmail does not work"),
    ],
)
def test_status_says_what_is_wrong(standalone: Lab, damage: str, repair: str, words: str) -> None:
    mail = standalone["mail"]
    mail.succeed(damage)
    try:
        said = status_of(standalone).repairs("mail")
    finally:
        mail.succeed(repair)
    assert [what for what in said if words in what], said
