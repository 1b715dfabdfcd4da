"""Machines as the last `up` configured them, whatever was done in them since.

A reset is what an engine does when it replaces a container, out of the state and without the program: what was made by
hand is copied out, the container goes, another one is made of the same image, and gets the files that the last `up`
brought. The stack's file may be under edit: it is not read. The state of either engine says afterwards what is there.
"""
