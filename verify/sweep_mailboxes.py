"""Runs on a machine of the lab with Python: deletes messages with a mark in their text (argv[1]) from mailboxes.

argv[2:]: mbox files here; without them, stdin has lines "server user password" of accounts to ask by POP3.
"""

import mailbox
import pathlib
import poplib
import socket
import sys

LARGEST = 20_000  # octets: the marked messages, and the bounces that quote them, are small
MISSES = 200  # the marked messages are among the newest: after so many others there are none


class Client(poplib.POP3):
    """Acknowledges at once: the server's second packet waits for that (Nagle's algorithm), else 40 ms a message."""

    def _putline(self, line: bytes) -> None:
        super()._putline(line)  # type: ignore[misc]
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def by_pop3(mark: bytes) -> None:
    """The accounts on stdin."""
    for line in sys.stdin:
        server, user, password = line.rstrip("\n").split(" ", 2)
        client = Client(server, timeout=20)
        client.user(user)
        client.pass_(password)
        misses = 0
        for number, size in (map(int, item.split()) for item in reversed(client.list()[1])):
            if size <= LARGEST and mark in b"\n".join(client.retr(number)[1]):
                client.dele(number)
                misses = 0
            else:
                misses += 1
            if misses == MISSES:
                break
        client.quit()


def in_file(path: str, mark: bytes) -> None:
    """One mbox file, locked as Postfix locks it."""
    box = mailbox.mbox(path)
    box.lock()
    try:
        for key in [key for key in box.iterkeys() if mark in box.get_bytes(key)]:
            box.remove(key)
        box.flush()
    finally:
        box.unlock()


def main() -> None:
    """Files when there are some, else accounts."""
    mark = sys.argv[1].encode()
    for path in sys.argv[2:]:
        if pathlib.Path(path).exists():
            in_file(path, mark)
    if len(sys.argv) == 2:
        by_pop3(mark)


main()
