"""Runs on `outside`: one end of an SMTP session that stands still before the end of the message is answered or sent.

argv: "server" or "client", run's name, the address of the mail server at the other end, then for a server its port, for
a client the recipient. Standing still, it makes /tmp/NAME.held, and goes on when the mail server takes nobody in any
more at port 25, or after five minutes. A server writes a line to /tmp/NAME.came for each message that came, and takes
further ones until killed; a client writes the last reply to /tmp/NAME.said.
"""

import pathlib
import socket
import sys
import time
from typing import BinaryIO

LIMIT = 300  # seconds


def main() -> None:
    """One of the two."""
    kind, name, other, last = sys.argv[1:]
    if kind == "server":
        serve(f"/tmp/{name}", other, int(last))
    else:
        send(f"/tmp/{name}", other, last)


def hold(run: str, other: str) -> None:
    """Stands still."""
    pathlib.Path(f"{run}.held").touch()
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        try:
            socket.create_connection((other, 25), timeout=LIMIT).close()
        except OSError:
            return
        time.sleep(0.1)


def serve(run: str, other: str, port: int) -> None:
    """Takes every message."""
    with socket.create_server(("", port)) as listener:
        listener.settimeout(LIMIT)
        while True:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as stream:
                take(connection, stream, run, other)


def take(connection: socket.socket, stream: BinaryIO, run: str, other: str) -> None:
    """One session."""
    connection.sendall(b"220 held ESMTP\r\n")
    while line := stream.readline():
        if not line.upper().startswith(b"DATA"):
            connection.sendall(b"250 2.0.0 Ok\r\n")
            continue
        connection.sendall(b"354 go on\r\n")
        while (text := stream.readline()) != b".\r\n":
            if not text:
                return
        with pathlib.Path(f"{run}.came").open("a", encoding="utf-8") as log:
            print("a message", file=log)
        hold(run, other)
        try:
            connection.sendall(b"250 2.0.0 Ok\r\n")
        except OSError:
            return  # the client is no more


def send(run: str, server: str, recipient: str) -> None:
    """One message, its Message-ID the run's name."""
    name = pathlib.Path(run).name
    message = f"Subject: {name}\r\nMessage-ID: <{name}@test.invalid>\r\nFrom: wendy@example.com\r\n\r\nheld\r\n"
    with socket.create_connection((server, 25), timeout=LIMIT) as connection, connection.makefile("rb") as stream:
        say(connection, stream)
        for command in ("EHLO outside.example", "MAIL FROM:<wendy@example.com>", f"RCPT TO:<{recipient}>", "DATA"):
            say(connection, stream, command + "\r\n")
        connection.sendall(message.encode())
        hold(run, server)
        pathlib.Path(f"{run}.said").write_text(say(connection, stream, ".\r\n"), encoding="utf-8")


def say(connection: socket.socket, stream: BinaryIO, words: str = "") -> str:
    """The answer to these words; nothing when the server is no more."""
    try:
        connection.sendall(words.encode())
        while (line := stream.readline())[3:4] == b"-":
            pass
    except OSError:
        return ""
    return line.decode()


main()
