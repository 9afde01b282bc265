"""Arrays in a page: one compressed blob, and where in it each array stands."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Packer:
    """Collects arrays and turns them into text that a page can hold."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, array: NDArray[Any]) -> dict[str, Any]:
        """Add an array, and return where it stands, as the page reads it.

        Numbers of 32 bits go as differences of their bits along the last axis, byte by byte, which
        compresses cumulative curves to a third, and is undone to the bit.

        Args:
            array: Of any type, records included.
        """
        array = np.ascontiguousarray(array)
        shuffled = array.dtype == np.float32 and array.ndim > 1
        content = _differences(array) if shuffled else array.tobytes()
        place = {
            "at": self._size,
            "bytes": len(content),
            "shape": list(array.shape),
            "item": array.itemsize,
            "shuffled": shuffled,
        }
        self._parts.append(content)
        self._size += len(content)
        return place

    def text(self) -> str:
        """Return all of them, compressed by zlib, in base 64."""
        return base64.b64encode(zlib.compress(b"".join(self._parts), 9)).decode()


def _differences(array: NDArray[np.float32]) -> bytes:
    bits = array.view(np.uint32).reshape(-1, array.shape[-1])
    steps = np.diff(bits, axis=1, prepend=np.uint32(0))
    # Small steps down have few bits, too: their sign becomes the lowest bit.
    down = np.where(steps >> np.uint32(31), np.uint32(0xFFFFFFFF), np.uint32(0))
    folded = (steps << np.uint32(1)) ^ down
    return np.ascontiguousarray(folded.view(np.uint8).reshape(-1, 4).T).tobytes()
