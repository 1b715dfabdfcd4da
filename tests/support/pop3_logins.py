"""Runs on a machine of the lab: tries POP3 logins, many at once; the server's answers as JSON on stdout.

Arguments: the server's address, and a JSON list of [user, password].
"""

import json
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

AT_ONCE = 40  # a refusal takes two seconds


def try_login(login: tuple[str, str]) -> list[str]:
    """The answers to USER and PASS, the greeting first; the last one is missing when the connection breaks off."""
    user, password = login
    with socket.create_connection((sys.argv[1], 110), timeout=60) as connection, connection.makefile("rb") as stream:
        answers = [stream.readline()]
        for line in (f"USER {user}", f"PASS {password}"):
            try:
                connection.sendall(line.encode() + b"\r\n")
                answers.append(stream.readline())
            except OSError:
                break
        if len(answers) == 3 and answers[2].startswith(b"+OK"):
            # Until the server closes the connection: the mailbox is locked as long, also for the next login.
            connection.sendall(b"QUIT\r\n")
            stream.read()
    return [answer.decode("utf-8", "replace").rstrip() for answer in answers]


with ThreadPoolExecutor(AT_ONCE) as pool:
    print(json.dumps(list(pool.map(try_login, json.loads(sys.argv[2])))))
