"""The options that say where the runs of a benchmark are done, the same for every grid."""

from __future__ import annotations

import argparse

from fitgym.common.validation import require_count
from fitgym_benchmarks.backends.backend import Backend, is_installed
from fitgym_benchmarks.backends.local import Local
from fitgym_benchmarks.backends.ray import Ray
from fitgym_benchmarks.backends.slurm import Slurm

# What a backend needs beyond the benchmarks' extra; its own extra has the backend's name.
_PACKAGES = {"local": None, "slurm": "submitit", "ray": "ray"}

# Options that only one backend has.
_ONLY = {"address": "ray", "partition": "slurm", "time": "slurm", "chunk": "slurm"}


def add_backend_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of backends to a benchmark's parser."""
    group = parser.add_argument_group("where runs are done (docs/sweeps.md)")
    group.add_argument(
        "--backend",
        choices=list(_PACKAGES),
        default="local",
        help="processes of this machine, an array job of Slurm, or tasks of Ray",
    )
    group.add_argument(
        "--workers",
        type=int,
        help=f"runs at once; A3C has processes of its own (default: {Local.workers} with local, "
        "else as many as fit)",
    )
    group.add_argument(
        "--address", help="of a Ray cluster, or auto (default: start Ray on this machine)"
    )
    group.add_argument("--partition", help="of Slurm (default: the cluster's own)")
    group.add_argument(
        "--time",
        type=int,
        metavar="MINUTES",
        help=f"limit of a Slurm task, after which it is queued again (default: {Slurm.minutes})",
    )
    group.add_argument(
        "--chunk", type=int, metavar="RUNS", help=f"runs per Slurm task (default: {Slurm.chunk})"
    )


def backend_of(options: argparse.Namespace) -> Backend:
    """Return the backend that the options ask for.

    Raises:
        ValueError: If a number is out of range or an option is of another backend.
        ModuleNotFoundError: If the backend's package is not installed.
    """
    package = _PACKAGES[options.backend]
    if package is not None and not is_installed(package):
        raise ModuleNotFoundError(
            f"--backend {options.backend} needs {package}: pip install 'fitgym[{options.backend}]'"
        )
    for name, owner in _ONLY.items():
        if getattr(options, name) is not None and options.backend != owner:
            raise ValueError(f"--{name} is of --backend {owner}, not of {options.backend}")
    for name in ("workers", "time", "chunk"):
        if getattr(options, name) is not None:
            require_count(f"--{name}", getattr(options, name))
    if options.backend == "ray":
        if options.address is not None and options.workers is not None:
            raise ValueError("--workers is of this machine: a cluster (--address) has its own")
        return Ray(address=options.address, workers=options.workers)
    if options.backend == "slurm":
        return Slurm(
            partition=options.partition,
            minutes=options.time or Slurm.minutes,
            chunk=options.chunk or Slurm.chunk,
            workers=options.workers,
        )
    return Local(options.workers or Local.workers)


def backend_words(options: argparse.Namespace) -> list[str]:
    """Return the words of the options that measured times depend on, where they were given."""
    words = [] if options.backend == "local" else ["--backend", options.backend]
    return [*words, *([] if options.workers is None else ["--workers", str(options.workers)])]
