"""The policy prover: says what the configuration makes of every connection, answer, login and message, and then looks.

`cells`, `routes`, `relays` and `logins` predict, and know nothing but the configuration; `probe`, `messages` and others
try it on the running machines; `report` holds the two against each other.
"""
