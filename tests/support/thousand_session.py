"""Runs on a machine of the lab: brings many messages to servers, in several sessions; the replies as JSON on stdout.

Argument: a JSON file (removed once read): sessions, each with `server` and `messages`, each of these with `name`,
`sender`, `recipients` and `text`. A reply is the one to DATA, or to the last RCPT when no recipient was taken.
"""

import json
import pathlib
import smtplib
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

AT_ONCE = 6
path = pathlib.Path(sys.argv[1])
plan = json.loads(path.read_text(encoding="utf-8"))
path.unlink()


def bring(session: dict[str, Any]) -> dict[str, tuple[int, str]]:
    """One session."""
    replies = {}
    with smtplib.SMTP(session["server"], 25, local_hostname="mail.example.com", timeout=200) as server:
        server.ehlo()
        for message in session["messages"]:
            server.mail(message["sender"], ["BODY=8BITMIME"])
            answers = [server.rcpt(recipient) for recipient in message["recipients"]]
            if any(code == 250 for code, _ in answers):
                code, words = server.data(message["text"].encode("latin-1"))
            else:
                code, words = answers[-1]
                server.rset()
            replies[message["name"]] = (code, words.decode())
    return replies


with ThreadPoolExecutor(AT_ONCE) as pool:
    print(json.dumps({name: reply for one in pool.map(bring, plan) for name, reply in one.items()}))
