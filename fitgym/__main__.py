"""Entry point of ``python -m fitgym``."""

import sys

from fitgym.cli.main import main

# Worker processes import this module anew, under another name.
if __name__ == "__main__":
    sys.exit(main())
