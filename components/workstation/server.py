"""The school's mail client."""

from components.machine import Machine


class Workstation(Machine):
    """`maillab:workstation:Workstation`: where teachers read and write their mail."""

    kind = "workstation:Workstation"
