"""The name server of a school."""

from components.machine import Machine


class DnsServer(Machine):
    """`maillab:dns:DnsServer`: BIND for the school's zone."""

    kind = "dns:DnsServer"
