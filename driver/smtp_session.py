"""Runs on a machine of the lab: one SMTP session as a plan says it, replies as JSON on stdout.

The plan is JSON, as the first argument or in the file that it names (@FILE, removed once read). With `tls` the session
is encrypted, from its beginning on port 465, else by STARTTLS; with a `user` there it logs in. What that took is not
among the replies, but for the one to AUTH, or the one that was a no.
"""

import base64
import json
import pathlib
import socket
import ssl
import sys
from typing import Any

SUBMISSIONS = 465
Plan = dict[str, Any]
Reply = dict[str, object]


class Session:
    """A connection, and what was answered on it."""

    def __init__(self, plan: Plan) -> None:
        source = (plan["source"], 0) if plan["source"] else None
        self.tls: Plan | None = plan["tls"]
        self.connection = socket.create_connection((plan["server"], plan["port"]), timeout=90, source_address=source)
        if self.tls and plan["port"] == SUBMISSIONS:
            self.encrypt(self.tls)
        self.stream = self.connection.makefile("rb")

    def encrypt(self, tls: Plan) -> None:
        """As Python does it by itself, with the computer's own trust, or with one authority's certificate alone."""
        context = ssl.create_default_context(cadata=tls["authority"] or None)
        self.connection = context.wrap_socket(self.connection, server_hostname=tls["host"])
        self.stream = self.connection.makefile("rb")

    def reply(self, step: str) -> Reply:
        """One reply, of several lines perhaps (RFC 5321, section 4.2)."""
        lines: list[str] = []
        while True:
            line = self.stream.readline()
            if not line:
                return {"step": step, "code": 0, "text": "connection closed " + " ".join(lines)}
            lines.append(line.decode("latin-1").rstrip())
            if line[3:4] != b"-":
                return {"step": step, "code": int(line[:3]), "text": " ".join(lines)}

    def say(self, data: bytes, step: str) -> Reply:
        """Sends `data`; the reply."""
        self.connection.sendall(data)
        return self.reply(step)

    def begin(self) -> list[Reply]:
        """The greeting, and what came of the login."""
        found = [self.reply("connect")]
        if self.tls and not isinstance(self.connection, ssl.SSLSocket):
            for step in ("EHLO client.invalid", "STARTTLS"):
                answer = self.say(f"{step}\r\n".encode(), step)
                if answer["code"] not in (220, 250):
                    return [*found, answer]
            self.encrypt(self.tls)
        if self.tls and self.tls["user"]:
            secret = base64.b64encode(f"\0{self.tls['user']}\0{self.tls['password']}".encode())
            self.say(b"EHLO client.invalid\r\n", "EHLO")
            found.append(self.say(b"AUTH PLAIN " + secret + b"\r\n", "AUTH PLAIN"))
        return found

    def steps(self, plan: Plan) -> list[Reply]:
        """Until the connection breaks off."""
        found: list[Reply] = []
        for kind, text in plan["steps"]:
            try:
                data = text.encode("utf-8") + b"\r\n" if kind == "command" else text.encode("latin-1")
                found.append(self.say(data, text[:60]))
            except OSError as error:
                found.append({"step": text[:60], "code": 0, "text": str(error)})
            if found[-1]["code"] == 0:
                break
        return found


def main() -> None:
    """The plan, carried out."""
    text = sys.argv[1]
    if text.startswith("@"):
        path = pathlib.Path(text[1:])
        text = path.read_text(encoding="utf-8")
        path.unlink()
    plan = json.loads(text)
    replies: list[Reply] = []
    try:
        session = Session(plan)
        replies = session.begin()
    except OSError as error:
        replies.append({"step": "connect", "code": 0, "text": str(error)})
    if replies[-1]["code"]:
        replies += session.steps(plan)
    print(json.dumps(replies))


main()
