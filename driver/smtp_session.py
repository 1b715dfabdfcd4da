"""Runs on a machine of the lab: one SMTP session as a plan says it, replies as JSON on stdout.

The plan is JSON, as the first argument or in the file that it names (@FILE, removed once read).
"""

import json
import pathlib
import socket
import sys
from typing import BinaryIO


def reply(stream: BinaryIO, step: str) -> dict[str, object]:
    """One reply, of several lines perhaps (RFC 5321, section 4.2)."""
    lines: list[str] = []
    while True:
        line = stream.readline()
        if not line:
            return {"step": step, "code": 0, "text": "connection closed " + " ".join(lines)}
        lines.append(line.decode("latin-1").rstrip())
        if line[3:4] != b"-":
            return {"step": step, "code": int(line[:3]), "text": " ".join(lines)}


def main() -> None:
    """The plan, carried out."""
    text = sys.argv[1]
    if text.startswith("@"):
        path = pathlib.Path(text[1:])
        text = path.read_text(encoding="utf-8")
        path.unlink()
    plan = json.loads(text)
    source = (plan["source"], 0) if plan["source"] else None
    try:
        connection = socket.create_connection((plan["server"], 25), timeout=30, source_address=source)
    except OSError as error:
        print(json.dumps([{"step": "connect", "code": 0, "text": str(error)}]))
        return
    replies = []
    with connection, connection.makefile("rb") as stream:
        replies.append(reply(stream, "connect"))
        for kind, text in plan["steps"]:
            try:
                connection.sendall(text.encode("utf-8") + b"\r\n" if kind == "command" else text.encode("latin-1"))
                replies.append(reply(stream, text[:60]))
            except OSError as error:
                replies.append({"step": text[:60], "code": 0, "text": str(error)})
            if replies[-1]["code"] == 0:
                break
    print(json.dumps(replies))


main()
