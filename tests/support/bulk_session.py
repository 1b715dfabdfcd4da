"""Runs on a machine of the lab: brings many messages to a server in few sessions; the replies as JSON on stdout.

Argument: a JSON file (removed once read) with the server's address, sender, recipient, and the messages by name.
"""

import json
import pathlib
import smtplib
import sys
from concurrent.futures import ThreadPoolExecutor

# Postfix ends a session with twenty errors, and is slow from the tenth on (smtpd_hard_error_limit, postconf(5)).
PER_SESSION = 8
AT_ONCE = 3
path = pathlib.Path(sys.argv[1])
plan = json.loads(path.read_text(encoding="utf-8"))
path.unlink()


def bring(messages: list[tuple[str, str]]) -> dict[str, tuple[int, str]]:
    """One session; the code and the words of each reply to a message."""
    replies = {}
    with smtplib.SMTP(plan["server"], 25, local_hostname="mail.example.com", timeout=200) as session:
        session.ehlo()
        for name, text in messages:
            session.mail(plan["sender"])
            session.rcpt(plan["recipient"])
            code, words = session.data(text.encode("latin-1"))
            replies[name] = (code, words.decode())
    return replies


everything = list(plan["messages"].items())
chunks = [everything[start : start + PER_SESSION] for start in range(0, len(everything), PER_SESSION)]
with ThreadPoolExecutor(AT_ONCE) as pool:
    print(json.dumps({name: reply for replies in pool.map(bring, chunks) for name, reply in replies.items()}))
