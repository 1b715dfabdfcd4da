"""`python -m where VERB`: what the Commands in every state call, wherever the code behind it stands."""

import sys

from maillab.where.__main__ import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
