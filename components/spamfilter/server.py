"""The county's filter appliance."""

from components.machine import Machine


class SpamFilter(Machine):
    """`maillab:spamfilter:SpamFilter`: the first MX of the school's domains."""

    kind = "spamfilter:SpamFilter"
