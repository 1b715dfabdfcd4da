"""The program: reads the configuration, and makes the lab that it describes."""

import pulumi

from components.check import warnings
from components.lab import Lab
from components.load import KEYS, read_stack
from components.problem import ConfigurationError

settings = pulumi.Config("maillab")
try:
    config = read_stack({key: settings.get(key) for key in KEYS}, pulumi.get_stack())
except ConfigurationError as error:
    # A RunError is printed without a traceback; nothing has been registered yet.
    raise pulumi.RunError(str(error)) from error
for problem in warnings(config):
    pulumi.log.warn(str(problem))

for name, value in Lab(config).outputs.items():
    pulumi.export(name, value)
