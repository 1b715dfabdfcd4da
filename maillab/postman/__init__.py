"""Sends messages from the lab's machines, and follows them: for the command line, the prover and exercises.

`send(machines, plan, Message(sender=…, recipient=…))` is all that most of them need.
"""
