"""MicroPython's module of that name, as far as the harness uses it."""

import io
import zlib

ZLIB = 2


def DeflateIO(stream: io.BytesIO, _format: int) -> io.BytesIO:  # noqa: N802 (a class there)
    """Return a stream of what `stream` has compressed."""
    return io.BytesIO(zlib.decompress(stream.read()))
