"""A real browser that sees one page of the lab, as one on the workstation would: Chromium, driven by Playwright."""

import base64
import contextlib
import hashlib
import pathlib
import shutil
import sys
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate
from playwright.sync_api import Browser, expect, sync_playwright

from driver.lab import Lab
from driver.machine import Patience
from tests.support.smtp_auth import authority

PROGRAM = pathlib.Path(__file__).with_name("lone-browser")


@contextlib.contextmanager
def browser_of(lab: Lab, server: str) -> Iterator[Browser]:
    """Chromium on the school's network, that knows the name `server` alone and trusts the lab's authority.

    Skips the test where there is none (Debian: package chromium).
    """
    chromium = shutil.which("chromium") or pytest.skip("no Chromium here (apt install chromium)")
    environment: dict[str, str | float | bool] = {
        **lab.environment,
        "MAILLAB_PYTHON": sys.executable,
        "CHROMIUM": chromium,
        "CONTAINER": str(lab["workstation"].container.id),
        "SERVER": server,
    }
    options = [f"--host-resolver-rules=MAP {server} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    options.append(f"--ignore-certificate-errors-spki-list={_key_of(authority(lab))}")
    expect.set_options(timeout=30_000 * Patience.factor)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=PROGRAM, args=options, env=environment)
        try:
            yield started
        finally:
            started.close()


def _key_of(certificate: str) -> str:
    """The hash of a certificate's public key, as Chromium has it: it takes chains with this key for good."""
    key = load_pem_x509_certificate(certificate.encode()).public_key()
    encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(encoded).digest()).decode()
