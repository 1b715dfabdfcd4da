"""The program: reads the configuration, and makes the lab that it describes."""

import os
import signal
from pathlib import Path

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from components.checks.surroundings import OFFLINE_RUN, refuse_surroundings
from components.checks.this_computer import refuse_own_addresses
from components.config.problem import ConfigurationError
from components.lab import Lab, local_docker_host
from components.load import project_keys, read_stack
from components.resources.ownership import owner_of

if not os.environ.get(OFFLINE_RUN):
    # Pulumi interrupts the program after a failure: a traceback would stand among the words that explain it.
    signal.signal(signal.SIGINT, lambda *_: os._exit(1))

settings = pulumi.Config("maillab")
try:
    refuse_surroundings(pulumi.get_stack(), Path())
    # A key that nobody asks for is a typing error, and would be ignored without a word.
    names = {*CONFIG.get(), *get_config_env()}
    texts = {key: None if ":" in key else settings.get(key) for key in project_keys(names)}
    plan = read_stack(
        texts,
        pulumi.get_stack(),
        warn=lambda problem: pulumi.log.warn(str(problem)),
        file=Path(f"Pulumi.{pulumi.get_stack()}.yaml"),
    )
    refuse_own_addresses(plan.config, local_docker_host())
except ConfigurationError as error:
    # A RunError is printed without a traceback; nothing has been registered yet.
    raise pulumi.RunError(str(error)) from error

for name, value in Lab(plan, owner_of(Path())).outputs.items():
    pulumi.export(name, value)
