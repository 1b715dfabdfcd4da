"""The mail servers of a school."""

from components.machine import Machine


class MailServer(Machine):
    """`maillab:mail:MailServer`: takes the school's mail; in the tutorial's own layout it is the name server too."""

    kind = "mail:MailServer"


class SecondMailServer(Machine):
    """`maillab:mail:SecondMailServer`: a further mail server that takes mail for its own name only."""

    kind = "mail:SecondMailServer"
