"""The kinds of machines as component types: what a preview calls them."""

from components.resources.machine import Machine


class DnsServer(Machine):
    """`maillab:dns:DnsServer`: BIND for the school's zone."""

    kind = "dns:DnsServer"


class MailServer(Machine):
    """`maillab:mail:MailServer`: takes the school's mail; in the tutorial's own layout it is the name server too."""

    kind = "mail:MailServer"


class SecondMailServer(Machine):
    """`maillab:mail:SecondMailServer`: a further mail server that takes mail for its own name only."""

    kind = "mail:SecondMailServer"


class SpamFilter(Machine):
    """`maillab:spamfilter:SpamFilter`: the first MX of the school's domains."""

    kind = "spamfilter:SpamFilter"


class Internet(Machine):
    """`maillab:internet:Internet`: the private root, the zones above the schools, the outside's resolver."""

    kind = "internet:Internet"


class OutsideMail(Machine):
    """`maillab:internet:OutsideMail`: another domain's mail server, and the machine of the many senders."""

    kind = "internet:OutsideMail"


class Workstation(Machine):
    """`maillab:workstation:Workstation`: where teachers read and write their mail."""

    kind = "workstation:Workstation"


class Router(Machine):
    """`maillab:network:Router`: forwards IPv4 and IPv6 between the schools and the Internet."""

    kind = "network:Router"
