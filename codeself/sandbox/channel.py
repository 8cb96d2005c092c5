"""The channel between judge and candidate: length-prefixed frames, data only, with caps.

A frame is a list whose first item names what it is. What the candidate writes is JSON, its values encoded as
codeself.records.values describes, and the judge takes any bytes whatever without harm: too long, cut off, nested,
malformed. What the judge writes is marshalled: it is trusted there, and a reader in C with nothing to look up is what
a candidate starts soonest with. Both sides import this module; the candidate's side is trusted with nothing.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterable
from json.decoder import JSONDecoder
from json.encoder import JSONEncoder
from typing import Any

HEADER_BYTES = 4
RUN, ASK, HAND, RETURNED, THREW = range(5)
"""What a judge's frame is: its first item. Numbers, as a small number is an object that is touched anyway."""
MARSHAL = (
    2  # a version that writes each object anew: what was one object twice comes out as two, as from JSON
)
_MAX_DEPTH = 100
_SCALARS = frozenset((type(None), bool, int, float, complex, str, bytes))
_CONTAINERS = frozenset((list, tuple))


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
_scan: Callable[[str, int], tuple[Any, int]] = vars(JSONDecoder())["scan_once"]


def pack(frame: list[Any]) -> bytes:
    """A candidate's frame with its length in front."""
    # Types are called and no methods: a method is one more object to touch for the first time.
    body = bytes("".join(_pieces(frame, 0)), "utf-8", "surrogatepass")
    size = len(body)
    return bytes((size >> 24, size >> 16 & 255, size >> 8 & 255, size & 255)) + body


def pack_request(frame: list[Any]) -> bytes:
    """A judge's frame with its length in front."""
    body = marshal.dumps(frame, MARSHAL)
    return len(body).to_bytes(HEADER_BYTES, "big") + body


def body_length(header: bytes | bytearray, cap: int) -> int:
    length = int.from_bytes(header[:HEADER_BYTES], "big")
    if length > cap:
        raise ChannelError(f"a frame of {length} bytes is over the cap of {cap}")
    return length


def unpack(body: bytes | bytearray) -> list[Any]:
    """The frame in a body of a candidate's. Raises ChannelError for anything but a non-empty list."""
    try:
        text = str(body, "utf-8", "surrogatepass")
        frame, end = _scan(text, 0)
    except (ValueError, StopIteration, RecursionError, MemoryError) as error:
        raise ChannelError(f"a frame that cannot be read ({type(error).__name__})") from error
    if end != len(text):
        raise ChannelError("a frame with something after its end")
    if type(frame) is not list or not frame:
        raise ChannelError("a frame that is not a list")
    return frame


def pack_arguments(arguments: tuple[Any, ...], keywords: dict[str, Any]) -> bytes | None:
    """The arguments of a call, as they are; None where one is not of the types that this tells exactly.

    Sets are none of these: their order here, which would be their order there, differs from process to process.
    """
    if _all_exact((*arguments, *keywords.values())):
        return marshal.dumps((arguments, keywords), MARSHAL)
    return None


def _all_exact(items: Iterable[Any], depth: int = _MAX_DEPTH) -> bool:
    if set(map(type, items)) <= _SCALARS:
        return True
    return depth > 0 and all(
        kind in _SCALARS
        or (kind in _CONTAINERS and _all_exact(item, depth - 1))
        or (kind is dict and _all_exact(item, depth - 1) and _all_exact(item.values(), depth - 1))
        for item in items
        for kind in (type(item),)
    )
