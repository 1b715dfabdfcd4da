"""The program: reads the configuration, and makes the lab that it describes."""

from pathlib import Path

import pulumi

from components.lab import Lab
from components.load import KEYS, read_stack
from components.problem import ConfigurationError
from components.surroundings import refuse_surroundings

settings = pulumi.Config("maillab")
try:
    refuse_surroundings(pulumi.get_stack(), Path())
    texts = {key: settings.get(key) for key in KEYS}
    config = read_stack(texts, pulumi.get_stack(), warn=lambda problem: pulumi.log.warn(str(problem)))
except ConfigurationError as error:
    # A RunError is printed without a traceback; nothing has been registered yet.
    raise pulumi.RunError(str(error)) from error

for name, value in Lab(config).outputs.items():
    pulumi.export(name, value)
