"""The sub-command ``fitgym benchmark``."""

from fitgym.cli.command import Command

COMMANDS = {
    "benchmark": Command(
        "train, evaluate and compare agents; measure speed; search settings",
        "fitgym_benchmarks.cli.benchmark",
        "benchmarks",
    ),
}
