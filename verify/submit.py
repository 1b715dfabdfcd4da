"""Runs on the school's mail client: hands letters to a mail server (argv[1]) by SMTP.

stdin: lines "sender recipient message-id"; stdout: JSON, message-id to the enhanced status code of its refusal, or to
"no connection".
"""

import json
import smtplib
import sys


def main() -> None:
    """One session for all of them."""
    letters = [line.split() for line in sys.stdin]
    refused = {}
    try:
        server = smtplib.SMTP(sys.argv[1], timeout=30)
    except (ConnectionError, TimeoutError):
        print(json.dumps({message_id: "no connection" for _, _, message_id in letters}))
        return
    with server:
        for sender, recipient, message_id in letters:
            header = f"From: {sender}\r\nTo: {recipient}\r\nSubject: maillab verify\r\nMessage-ID: <{message_id}>\r\n"
            try:
                server.sendmail(sender, recipient, f"{header}\r\n{message_id}\r\n")
            except smtplib.SMTPRecipientsRefused as error:
                _, words = error.recipients[recipient]
                refused[message_id] = words.decode().split()[0]
    print(json.dumps(refused))


main()
