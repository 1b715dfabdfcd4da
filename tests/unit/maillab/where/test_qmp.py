"""Orders to qemu: to none, and to one that ends at them."""

import json
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from maillab.where.home import Home
from maillab.where.problem import WhereError
from maillab.where.qmp import order


def test_a_qemu_that_does_not_answer_may_be_busy(home: Home) -> None:
    """It takes one client at a time, and a snapshot takes a while: it is ended last."""
    with pytest.raises(WhereError, match="does not answer") as silence:
        order(home, "query-status")
    wait, kill = silence.value.remedy
    assert silence.value.id == "vm-no-control"
    assert "wait" in wait
    assert f"kill $(cat {home.folder}/qemu.pid)" in kill


@pytest.fixture
def leaving_qemu(home: Home) -> Iterator[Callable[[str], None]]:
    """Starts a qemu that closes the connection at its first order, after the answer that is given."""
    threads = []

    def serve(server: socket.socket, answer: str) -> None:
        connection, _ = server.accept()
        with server, connection:

            def say(text: str) -> None:
                connection.sendall(f"{text}\n".encode())

            version = {"qemu": {"micro": 2, "minor": 2, "major": 7}, "package": ""}
            say(json.dumps({"QMP": {"version": version, "capabilities": []}}))
            connection.recv(4096)  # qmp_capabilities; orders are no lines, but so short that they come whole
            say(json.dumps({"return": {}}))
            asked = json.loads(connection.recv(4096))
            if answer:
                say(answer.replace("ID", asked["id"]))

    def start(answer: str) -> None:
        server = socket.create_server(home.qmp, family=socket.AF_UNIX)
        threads.append(threading.Thread(target=serve, args=(server, answer)))
        threads[-1].start()

    home.sockets.mkdir(parents=True, exist_ok=True)
    yield start
    for thread in threads:
        thread.join()


def test_an_answer_counts_though_qemu_has_gone(home: Home, leaving_qemu: Callable[[str], None]) -> None:
    leaving_qemu('{"return": {}, "id": "ID"}')
    assert order(home, "quit") == {}


def test_a_refusal_counts_though_qemu_has_gone(home: Home, leaving_qemu: Callable[[str], None]) -> None:
    leaving_qemu('{"error": {"class": "GenericError", "desc": "not now"}, "id": "ID"}')
    with pytest.raises(WhereError, match="qemu refuses quit: not now"):
        order(home, "quit")


def test_a_qemu_that_has_gone_without_an_answer(home: Home, leaving_qemu: Callable[[str], None]) -> None:
    leaving_qemu("")
    with pytest.raises(WhereError, match="does not answer"):
        order(home, "quit")
