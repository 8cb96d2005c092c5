"""The channel between judge and candidate: length-prefixed JSON frames, data only, with caps.

A frame is a list whose first item names what it is. Values in frames are encoded as codeself.records.values
describes. The judge's side takes any bytes whatever without harm: too long, cut off, nested, malformed.
Both sides import this module; the candidate's side is trusted with nothing. JSON, because its reader and writer
in C come with the interpreter: a candidate starts sooner the less it has to touch.
"""

from __future__ import annotations

import json
from json.encoder import JSONEncoder
from typing import Any

HEADER_BYTES = 4


class ChannelError(Exception):
    """Bytes that are not a frame, or a frame beyond the cap."""


def _refuse(value: object) -> None:
    raise TypeError(f"a {type(value).__name__} is not data")


def _text_encoder() -> Any:
    """The JSON text of an object, in pieces. Frames hold trees, so that nobody looks for circles."""
    try:
        from _json import encode_basestring, make_encoder
    except ImportError:  # an interpreter without the accelerator
        encoder = JSONEncoder(
            ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
        )
        return encoder.iterencode
    return make_encoder(None, _refuse, encode_basestring, None, ":", ",", False, False, True)


_pieces = _text_encoder()
_decode = json.JSONDecoder().raw_decode


def pack(frame: list[Any]) -> bytes:
    """A frame with its length in front."""
    body = "".join(_pieces(frame, 0)).encode("utf-8", "surrogatepass")
    return len(body).to_bytes(HEADER_BYTES, "big") + body


def body_length(header: bytes | bytearray, cap: int) -> int:
    length = int.from_bytes(header[:HEADER_BYTES], "big")
    if length > cap:
        raise ChannelError(f"a frame of {length} bytes is over the cap of {cap}")
    return length


def unpack(body: bytes | bytearray) -> list[Any]:
    """The frame in a body. Raises ChannelError for anything but a non-empty list."""
    try:
        text = body.decode("utf-8", "surrogatepass")
        frame, end = _decode(text)
    except (ValueError, RecursionError, MemoryError) as error:
        raise ChannelError(f"a frame that cannot be read ({type(error).__name__})") from error
    if end != len(text):
        raise ChannelError("a frame with something after its end")
    if type(frame) is not list or not frame:
        raise ChannelError("a frame that is not a list")
    return frame
