"""What Fang et al. 2022 report, each under its own number (``benchmark paper``)."""
