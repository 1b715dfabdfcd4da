"""Users of the school without an appliance, who log in before they send."""

from dataclasses import replace

from driver.lab import Lab
from driver.mail import Reply, Tls, envelope, smtp

DOMAIN = "yaes.example"
HOST = f"mail.{DOMAIN}"
STRANGER = "tnuser@tn.edu.tw"
PORTS = (25, 587, 465)


def user(name: str, password: str | None = None) -> Tls:
    """A user, with his own password or another one."""
    return Tls(host=HOST, user=name, password=f"lab-{name.partition('@')[0]}-2006" if password is None else password)


def log_in(lab: Lab, tls: Tls, *, port: int = 587, client: str = "workstation", source: str | None = None) -> Reply:
    """The server's answer to the login."""
    if client != "workstation":
        # The Internet does not know the lab's authority.
        tls = replace(tls, authority=authority(lab))
    return smtp(lab[client], lab["mail"].ipv4, ["QUIT"], port=port, tls=tls, source=source)[1]


def rcpt(lab: Lab, sender: str, recipient: str, tls: Tls | None, *, port: int = 587) -> Reply:
    """The server's answer to RCPT, from the workstation."""
    steps = envelope("workstation.yaes.example", sender, recipient)[:-1]
    return smtp(lab["workstation"], lab["mail"].ipv4, steps, port=port, tls=tls)[-1]


def authority(lab: Lab) -> str:
    """The certificate of the lab's authority."""
    return lab["internet"].succeed("/usr/lib/maillab/roles/authority certificate")
