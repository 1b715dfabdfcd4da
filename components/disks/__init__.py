"""Disks of machines that are not as they should be."""
