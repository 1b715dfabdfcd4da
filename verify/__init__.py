"""The policy prover: says what the configuration makes of every connection and letter, and then looks.

`cells` and `routes` predict, and know nothing but the configuration; `probe` and `letters` try it on the running
machines; `report` holds the two against each other.
"""
