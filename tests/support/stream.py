"""Runs on `outside`: hands a numbered message to the machine's own Postfix every so often, until told to stop.

argv: run's name, seconds between two messages, messages at most, recipients who get one in turn. Each message that
Postfix took is a line of /tmp/NAME.sent; the run ends when /tmp/NAME.stop is there, or by itself.
"""

import pathlib
import subprocess
import sys
import time


def main() -> None:
    """The stream."""
    name, pause, most, recipients = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
    sent, stop = pathlib.Path(f"/tmp/{name}.sent"), pathlib.Path(f"/tmp/{name}.stop")
    with sent.open("w", encoding="utf-8", buffering=1) as log:
        for number in range(most):
            if stop.exists():
                break
            recipient = recipients[number % len(recipients)]
            message_id = f"<{name}.{number}@test.invalid>"
            header = f"From: wendy@example.com\nTo: {recipient}\nSubject: {name} {number}\nMessage-ID: {message_id}\n"
            command = ["sendmail", "-i", "-f", "wendy@example.com", "--", recipient]
            done = subprocess.run(command, input=f"{header}\nmessage {number}\n".encode(), check=False)
            if done.returncode == 0:
                print(message_id, file=log)
            time.sleep(pause)
    pathlib.Path(f"/tmp/{name}.done").touch()


main()
