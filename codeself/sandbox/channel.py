"""The channel between judge and candidate: length-prefixed msgpack frames, data only, with caps.

A frame is a list whose first item names what it is. Values in frames are encoded as codeself.records.values
describes. The judge's side takes any bytes whatever without harm: too long, cut off, nested, malformed.
Both sides import this module; the candidate's side is trusted with nothing.
"""

from __future__ import annotations

import struct
from typing import Any

import msgpack

_HEADER = struct.Struct(">I")
HEADER_BYTES = _HEADER.size


class ChannelError(Exception):
    """Bytes that are not a frame, or a frame beyond the cap."""


def pack(frame: list[Any]) -> bytes:
    """A frame with its length in front."""
    body = msgpack.packb(frame, use_bin_type=True, unicode_errors="surrogatepass")
    return _HEADER.pack(len(body)) + body


def body_length(header: bytes | bytearray, cap: int) -> int:
    (length,) = _HEADER.unpack_from(header)
    if length > cap:
        raise ChannelError(f"a frame of {length} bytes is over the cap of {cap}")
    return length


def unpack(body: bytes | bytearray | memoryview) -> list[Any]:
    """The frame in a body. Raises ChannelError for anything but a non-empty list."""
    try:
        frame = msgpack.unpackb(
            body,
            raw=False,
            strict_map_key=True,
            unicode_errors="surrogatepass",
            max_ext_len=0,
            max_bin_len=0,
        )
    except Exception as error:
        raise ChannelError(f"a frame that cannot be read ({type(error).__name__})") from error
    if type(frame) is not list or not frame:
        raise ChannelError("a frame that is not a list")
    return frame
