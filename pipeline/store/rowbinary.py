"""Reading ClickHouse's RowBinary: an array of integers becomes a numpy array at once, where rows would become a Python object a value."""

import numpy as np

from pipeline.minutes import Column


class Reader:
    """The values of an answer, one after the other, in the order of the columns asked for."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._at = 0

    def __bool__(self) -> bool:
        """Whether something is left."""
        return self._at < len(self._answer)

    def string(self) -> str:
        """A String or LowCardinality(String)."""
        return self._take(self._varint()).decode()

    def int64s(self) -> Column:
        """An Array(Int64)."""
        return np.frombuffer(self._take(8 * self._varint()), dtype="<i8")

    def int128s(self) -> Column:
        """An Array(Int128): 64 bits wide where all values fit, else Python's integers."""
        halves = np.frombuffer(self._take(16 * self._varint()), dtype=[("low", "<u8"), ("high", "<i8")])
        low, high = halves["low"], halves["high"]
        narrow = low.astype(np.int64)
        if np.array_equal(narrow >> 63, high):
            return narrow
        wide: Column = high.astype(object) * 2**64 + low.astype(object)
        return wide

    def _varint(self) -> int:
        """A length: seven bits a byte, the lowest first; the highest bit says that more follow."""
        value = shift = 0
        while True:
            byte = self._answer[self._at]
            self._at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    def _take(self, size: int) -> bytes:
        self._at += size
        return self._answer[self._at - size : self._at]
