"""What takes long and is about rare things: `make test-all` tries it, `make test` (and with it CI) does not."""

import os

WANTED = os.environ.get("MAILLAB_TESTS") == "all"
