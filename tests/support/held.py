"""Runs on `outside`: one end of an SMTP session that stands still before the end of the message is answered or sent.

argv: "server" or "client", run's name, then for a server the port, for a client the server's address and the
recipient. Standing still, it makes /tmp/NAME.held, and goes on when /tmp/NAME.go is there, or after a minute.
A server writes a line to /tmp/NAME.came for each message that came, and takes further ones until killed; a client
writes the last reply to /tmp/NAME.said.
"""

import pathlib
import socket
import sys
import time
from typing import BinaryIO

LIMIT = 60  # seconds


def main() -> None:
    """One of the two."""
    kind, name, *words = sys.argv[1:]
    if kind == "server":
        serve(f"/tmp/{name}", int(words[0]))
    else:
        send(f"/tmp/{name}", *words)


def hold(run: str) -> None:
    """Stands still."""
    pathlib.Path(f"{run}.held").touch()
    end = time.monotonic() + LIMIT
    while not pathlib.Path(f"{run}.go").exists() and time.monotonic() < end:
        time.sleep(0.05)


def serve(run: str, port: int) -> None:
    """Takes every message."""
    with socket.create_server(("", port)) as listener:
        listener.settimeout(LIMIT * 5)
        while True:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as stream:
                take(connection, stream, run)


def take(connection: socket.socket, stream: BinaryIO, run: str) -> None:
    """One session."""
    connection.sendall(b"220 held ESMTP\r\n")
    while line := stream.readline():
        if not line.upper().startswith(b"DATA"):
            connection.sendall(b"250 2.0.0 Ok\r\n")
            continue
        connection.sendall(b"354 go on\r\n")
        while stream.readline() not in (b".\r\n", b""):
            pass
        with pathlib.Path(f"{run}.came").open("a", encoding="utf-8") as log:
            print("a message", file=log)
        hold(run)
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
        hold(run)
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
