"""Read and write the footer's integers and texts, with every length checked."""

from __future__ import annotations

from cimis.pipeline.errors import ChunkError

__all__ = ["Reader", "Writer"]

_MASK = (1 << 64) - 1


class Writer:
    """Collects bytes: LEB128 unsigned integers, zigzag signed ones, fixed 32-bit words, texts."""

    def __init__(self) -> None:
        self.data = bytearray()

    def unsigned(self, value: int) -> None:
        """Append an unsigned integer below 2**64 as LEB128."""
        while value >= 0x80:
            self.data.append(value & 0x7F | 0x80)
            value >>= 7
        self.data.append(value)

    def signed(self, value: int) -> None:
        """Append a signed 64-bit integer, zigzag and LEB128."""
        self.unsigned((value << 1 ^ value >> 63) & _MASK)

    def word(self, value: int) -> None:
        """Append 32 bits, little-endian."""
        self.data += value.to_bytes(4, "little")

    def text(self, value: bytes) -> None:
        """Append a byte of length and the bytes."""
        self.data.append(len(value))
        self.data += value


class Reader:
    """Reads what `Writer` wrote; `ChunkError` where bytes end early or a number is too large."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0

    def unsigned(self, limit: int = _MASK) -> int:
        """Return a LEB128 integer of at most ``limit``."""
        value = shift = 0
        data, place = self.data, self.place
        try:
            while True:
                octet = data[place]
                place += 1
                value |= (octet & 0x7F) << shift
                if octet < 0x80:
                    break
                shift += 7
                if shift > 63:
                    raise ChunkError("footer holds an integer of more than 64 bits")
        except IndexError:
            raise ChunkError("footer ends inside an integer") from None
        if value > limit:
            raise ChunkError(f"footer holds {value} where at most {limit} is allowed")
        self.place = place
        return value

    def signed(self) -> int:
        """Return a zigzag LEB128 integer."""
        value = self.unsigned()
        return (value >> 1) ^ -(value & 1)

    def raw(self, size: int) -> bytes:
        """Return the next ``size`` bytes."""
        piece = self.data[self.place : self.place + size]
        if len(piece) < size:
            raise ChunkError(f"footer ends after {len(piece)} of {size} bytes")
        self.place += size
        return piece

    def word(self) -> int:
        """Return 32 bits, little-endian."""
        return int.from_bytes(self.raw(4), "little")

    def text(self) -> str:
        """Return a text behind a byte of length."""
        try:
            return self.raw(self.raw(1)[0]).decode()
        except UnicodeDecodeError:
            raise ChunkError("footer holds a text that is not UTF-8") from None
