"""What writes a machine's mail log."""

import enum


class Log(enum.StrEnum):
    """Whose lines a mail log has (`maillab/trace/maillog.py` reads them)."""

    POSTFIX = "postfix"
    SENDMAIL = "sendmail"
