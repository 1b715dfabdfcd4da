"""`maillab verify`: the prover, run on a stack's configuration and its running machines."""

from __future__ import annotations

import json
import sys

from rich.console import Console

from cli.configuration import configuration
from cli.docker import host_environment
from cli.engine import environment
from cli.problem import MaillabError
from cli.stack import Stack
from verify.machines import MachineError
from verify.report import as_json as proof_as_json
from verify.report import show
from verify.run import prove


def verify(stack: Stack, *, as_json: bool, mail: bool) -> bool:
    """Proves, and shows the proof. Answers whether everything is as the configuration says.

    Raises:
        MaillabError: the configuration is bad, or a machine can't be asked.
    """
    lab = configuration(stack)
    words = Console(stderr=True)
    try:
        with words.status("predicting, and trying every connection" + (" and letter" if mail else "")):
            proof = prove(lab, mail=mail, environment=host_environment(environment()))
    except MachineError as error:
        raise MaillabError(str(error), "`maillab status` shows the machines, `make up` brings them up") from error
    if as_json:
        json.dump(proof_as_json(proof), sys.stdout, ensure_ascii=False, indent=1)
        print()
    else:
        # An IPv6 address may have a `:100:` in it, which would be an emoji.
        show(proof, Console(emoji=False))
    return proof.holds
