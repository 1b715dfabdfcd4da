"""The embedded engine: runs the lab's Pulumi program where the Pulumi CLI cannot be had.

It registers the program's resources with a monitor of its own, does the Docker work through the Docker
SDK for Python, and keeps its state in Pulumi's deployment format, so that a lab can move to the real
engine and back. What it does not support is an error that names it, never ignored.
"""
