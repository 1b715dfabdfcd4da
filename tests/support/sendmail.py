"""The school whose mail server is Sendmail."""

from typing import Any

from driver.lab import Lab
from tests.support.stacks import change_school

SMART_HOST = "spamfilter.dc1es.tnc.edu.tw"


def mail_of(school: dict[str, Any]) -> dict[str, Any]:
    """The section `mail` of the machine `mail`."""
    (mail,) = (machine["mail"] for machine in school["machines"] if machine["name"] == "mail")
    assert isinstance(mail, dict)
    return mail


def use_sendmail(school: dict[str, Any]) -> dict[str, Any]:
    """The school with it."""
    mail_of(school).update(mta="sendmail", relayhost=SMART_HOST)
    return school


def set_mail(lab: Lab, **keys: object) -> None:
    """Writes keys of the mail server into the stack's file; None: leaves them out."""

    def change(school: dict[str, Any]) -> dict[str, Any]:
        mail = mail_of(school)
        mail.update(keys)
        for key in [key for key, value in keys.items() if value is None]:
            del mail[key]
        return school

    change_school(lab.stack_file, change)
