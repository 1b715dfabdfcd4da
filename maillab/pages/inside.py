"""Run by Python on a workstation: takes stdin to a web server of the lab, and what that answers to stdout.

Arguments: the server's name, its port, and `https` or `http`. TLS ends here, where the lab's authority is trusted and
its names are known. At the end of stdin it ends at once; exit status: 3 without a connection, 4 when the server's
certificate is not for it, each with why on stderr.
"""

import os
import select
import socket
import ssl
import sys

CHUNK = 1 << 16
PATIENCE = 20  # seconds for a connection, and for a server to take what it is sent
UNREACHED, UNTRUSTED = 3, 4


def connected(host: str, port: int, scheme: str) -> socket.socket:
    """The connection. Raises OSError, and its ssl.SSLError."""
    connection = socket.create_connection((host, port), timeout=PATIENCE)
    if scheme == "https":
        return ssl.create_default_context().wrap_socket(connection, server_hostname=host)
    return connection


def received(connection: socket.socket) -> bytes | None:
    """What has come; empty: that was all; None: nothing yet (TLS has messages of its own)."""
    connection.settimeout(0)
    try:
        return connection.recv(CHUNK)
    except (BlockingIOError, ssl.SSLWantReadError):
        return None
    except OSError:  # TLS that ends without a word is no ConnectionError
        return b""


def send(connection: socket.socket, data: bytes) -> None:
    """All of it, unless the server takes no more: then there may still be an answer."""
    connection.settimeout(PATIENCE)
    try:
        connection.sendall(data)
    except OSError:
        return


def exchange(connection: socket.socket) -> None:
    """Both ways, until one of them ends."""
    while True:
        has_rest = isinstance(connection, ssl.SSLSocket) and connection.pending() > 0
        ready = [connection.fileno()] if has_rest else select.select([0, connection.fileno()], [], [])[0]
        if 0 in ready:
            data = os.read(0, CHUNK)
            if not data:
                return
            send(connection, data)
        if connection.fileno() in ready:
            answer = received(connection)
            if answer == b"":
                return
            while answer:
                answer = answer[os.write(1, answer) :]


def main(host: str, port: str, scheme: str) -> int:
    """The exit status."""
    try:
        connection = connected(host, int(port), scheme)
    except ssl.SSLCertVerificationError as error:
        print(error.verify_message, file=sys.stderr)
        return UNTRUSTED
    except OSError as error:
        print(error.strerror or error, file=sys.stderr)
        return UNREACHED
    exchange(connection)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
