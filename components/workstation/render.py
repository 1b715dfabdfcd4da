"""The school's mail client: swaks writes (SMTP), pop3-fetch reads (POP3), dig asks."""

from components.config.lab import LabConfig, MachineConfig, Role, SchoolConfig
from components.part import Part
from components.templates import render_template


def workstation_files(lab: LabConfig, school: SchoolConfig, machine: MachineConfig) -> dict[str, str]:
    """The mail program's account settings: the school's first mail server for both ways.

    Nothing when the school has no mail server: then swaks and pop3-fetch need one as an argument.
    """
    del lab  # every renderer of a school's machine is asked in the same way
    servers = school.with_role(Role.MAIL) or school.with_role(Role.SECOND_MAIL)
    if not servers:
        return {}
    server = servers[0].fqdn(school.domain)
    login = bool(servers[0].mail and servers[0].mail.authentication)
    swaksrc = render_template("workstation/swaksrc.j2", server=server, fqdn=machine.fqdn(school.domain), login=login)
    return {"/root/.swaksrc": swaksrc, "/etc/pop3-fetch.conf": f"{server}\n"}


def workstation_part(lab: LabConfig, school: SchoolConfig, machine: MachineConfig) -> Part:
    """A client runs no service of its own."""
    return Part(
        recipes=("dns", "mail", "workstation"),
        about=f"mail client of {school.domain}",
        files=workstation_files(lab, school, machine),
    )
