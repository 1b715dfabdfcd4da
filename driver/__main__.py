"""Brings labs up and removes them, so that their images are there and several workers need not build them at once."""

import pathlib
import tempfile

from driver.lab import make_lab, remove_lab

for source in ("dc1es", "onehost"):
    with tempfile.TemporaryDirectory(prefix="maillab-") as folder:
        lab = make_lab(pathlib.Path(folder), source)
        try:
            lab.up()
        finally:
            remove_lab(lab)
