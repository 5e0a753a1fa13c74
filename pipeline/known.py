"""Which contacts and answers are stored already: their 64-bit hashes, so that new ones need no look-up.

A false "known" costs one look-up; there is no false "new", since every stored row's hash is loaded at assignment and every row written
since is added.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

Hashes = npt.NDArray[np.uint64]


def hash_of(key: Sequence[str]) -> int:
    """xxh3 of the key's parts joined by NUL: as the server's `xxh3(concat(…, char(0), …))`."""
    return xxh3_64_intdigest("\0".join(key).encode())


class Known:
    """A set of hashes: one sorted array for what was stored at the start (8 bytes each), a Python set for what came since."""

    def __init__(self, stored: Hashes) -> None:
        self._stored = np.sort(stored)
        self._added: set[int] = set()

    @classmethod
    def none(cls) -> "Known":
        """Nothing is stored."""
        return cls(np.array([], dtype=np.uint64))

    def __len__(self) -> int:
        return len(self._stored) + len(self._added)

    def add(self, keys: Iterable[Sequence[str]]) -> None:
        """Note keys whose rows are about to be written."""
        self._added.update(map(hash_of, keys))

    def among(self, keys: Sequence[Sequence[str]]) -> list[bool]:
        """For each key whether it may be stored."""
        hashes = [hash_of(key) for key in keys]
        if len(self._stored) == 0:
            return [value in self._added for value in hashes]
        probes = np.array(hashes, dtype=np.uint64)
        places = np.searchsorted(self._stored, probes)
        places[places == len(self._stored)] = 0
        found = self._stored[places] == probes
        return [bool(hit) or value in self._added for hit, value in zip(found.tolist(), hashes, strict=True)]
