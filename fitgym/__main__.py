"""Entry point of ``python -m fitgym``."""

import sys

from fitgym.cli import main

sys.exit(main())
