"""Brings a lab up and removes it, so that its images are there and several workers need not build them at once."""

import pathlib
import tempfile

from driver.lab import make_lab, remove_lab

# Both schools together have every image.
with tempfile.TemporaryDirectory(prefix="maillab-") as folder:
    lab = make_lab(pathlib.Path(folder), "two")
    try:
        lab.up()
    finally:
        remove_lab(lab)
