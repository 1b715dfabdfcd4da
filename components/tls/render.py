"""Certificates (RFC 5280) in the lab: who gives them, which servers have one, and who trusts them.

Keys are made on the machines, and stay there; components/resources/certificates.py takes requests to the authority.
"""

from components.config.lab import LabConfig, MachineConfig, Role, SchoolConfig
from components.config.mail import destinations
from components.part import Part

NAMES = "/etc/maillab/certificate"
# Here, on a volume, servers and clients have theirs (files/tls/image/roles/tls).
FOLDER = "/etc/ssl/maillab"


def certificate_names(school: SchoolConfig, machine: MachineConfig) -> tuple[str, ...]:
    """The names of a mail server whose users show their passwords to it; none of another machine."""
    if machine.mail is None or not machine.mail.shows_certificate:
        return ()
    fqdn = machine.fqdn(school.domain).lower()
    return tuple(dict.fromkeys([fqdn, *destinations(machine.mail, fqdn, school.domain)]))


def has_certificates(school: SchoolConfig) -> bool:
    """Has one of the school's servers a certificate?"""
    return any(certificate_names(school, machine) for machine in school.machines)


def authority_parts(lab: LabConfig) -> list[Part]:
    """The authority, in a lab where somebody needs it: its key is on a volume, and nowhere else."""
    if not any(map(has_certificates, lab.schools)):
        return []
    volumes = {"authority": "/var/lib/maillab-authority"}
    return [Part(recipes=("tls",), about="", roles=("authority",), volumes=volumes)]


def tls_parts(school: SchoolConfig, machine: MachineConfig) -> list[Part]:
    """What a machine needs that has a certificate, or trusts those of its school's servers."""
    names = certificate_names(school, machine)
    if not names and not (Role.WORKSTATION in machine.roles and has_certificates(school)):
        return []
    files = {NAMES: "".join(f"{name}\n" for name in names)} if names else {}
    return [Part(recipes=("tls",), about="", roles=("tls",), files=files, volumes={"tls": FOLDER})]
