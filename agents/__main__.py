"""Entry point of ``python -m agents``."""

import sys

from agents.cli import main

# Worker processes import this module anew, under another name.
if __name__ == "__main__":
    sys.exit(main())
