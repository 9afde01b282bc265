"""The number of threads that torch computes with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def set_threads(threads: int) -> None:
    """Let torch compute with some threads; more than one only helps on an idle machine."""
    torch.set_num_threads(threads)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute with one thread meanwhile, and then with as many as before."""
    # Two threads wait for each other beside any other work, and gain little without it.
    threads = torch.get_num_threads()
    set_threads(1)
    try:
        yield
    finally:
        set_threads(threads)
