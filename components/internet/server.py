"""The machines of the Internet around the schools."""

from components.machine import Machine


class Internet(Machine):
    """`maillab:internet:Internet`: the private root, the zones above the schools, the outside's resolver."""

    kind = "internet:Internet"


class OutsideMail(Machine):
    """`maillab:internet:OutsideMail`: another domain's mail server, and the machine of the many senders."""

    kind = "internet:OutsideMail"
