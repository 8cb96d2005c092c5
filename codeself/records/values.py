"""Python values as JSON data, exactly: what is a tuple stays a tuple.

Plain JSON stands for itself: null, booleans, integers, finite floats, strings, lists, and objects whose keys
are strings that do not start with "$". Everything else is an object with one key that names its type:

    {"$tuple": [1, 2]}  {"$set": [...]}  {"$dict": [[key, value], ...]}  {"$float": "nan"}  {"$bytes": "base64"}

Only the exact types listed here are data. A subclass of list is not a list: it may lie about equality.
The same encoding serves task files and, packed, the channel between judge and candidate. So nothing is data that
is small to write and endless to handle: numbers and ranges are capped, and so are keys made to share one hash.
"""

from __future__ import annotations

import base64
import math
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

MAX_DEPTH = 100
# A million digits: far beyond any task's, and what Python's arithmetic still handles in moments.
MAX_INTEGER_BITS = 1 << 22
# Fractions cancel, which takes the square of their length; Decimals are made integers by int() and round().
_MAX_FRACTION_BITS = 1 << 16
_MAX_EXPONENT = 1 << 16
_MAX_RANGE = 1 << 20  # items, should a test make a list of it
_MAX_SAME_HASH = 1 << 8
_SMALL = range(-(2**63), 2**63)
_PLAIN = frozenset((type(None), bool, str))
_SCATTERED = frozenset((*_PLAIN, float, bytes))
_BUILTINS: tuple[type, ...] = (bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset)
_TYPES = {kind.__name__: kind for kind in _BUILTINS}


class NotData(ValueError):
    """The value, or part of it, is not plain data (or nests deeper than MAX_DEPTH)."""


def encode(value: Any, other: Callable[[Any], Any] | None = None, depth: int = MAX_DEPTH) -> Any:
    """JSON data for a value. Raises NotData for a type that is not data, unless `other` encodes it.

    other: called with an object of any other type; returns its encoding, or raises NotData.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is int:
        return value if value in _SMALL else _large(value)
    if kind is float:
        return value if math.isfinite(value) else {"$float": repr(value)}
    if depth <= 0:
        raise NotData(f"a value nests deeper than {MAX_DEPTH} levels")
    if kind is list:
        return [encode(item, other, depth - 1) for item in value]
    if kind is dict:
        if all(type(key) is str and not key.startswith("$") for key in value):
            return {key: encode(item, other, depth - 1) for key, item in value.items()}
        return {"$dict": _pairs(value, other, depth)}
    encoder = _ENCODERS.get(kind)
    if encoder is not None:
        return encoder(value, other, depth)
    if other is not None:
        return other(value)
    raise NotData(f"a {kind.__module__}.{kind.__qualname__} is not plain data")


def decode(data: Any, other: Callable[[str, Any], Any] | None = None, depth: int = MAX_DEPTH) -> Any:
    """The value that `encode` was given. Always builds new containers.

    other: called with the tag and content of an object tagged with a name not listed here.
    Raises NotData for anything `encode` cannot have written, however malformed.
    """
    kind = type(data)
    if kind in _PLAIN or kind is int or kind is float:
        return data
    if depth <= 0:
        raise NotData(f"a value nests deeper than {MAX_DEPTH} levels")
    if kind is list:
        return [decode(item, other, depth - 1) for item in data]
    if kind is not dict:
        raise NotData(f"{kind.__name__} is not part of the encoding")
    if len(data) == 1:
        ((tag, content),) = data.items()
        if type(tag) is str and tag.startswith("$"):
            return _decode_tagged(tag, content, other, depth)
    for key in data:
        if type(key) is not str or key.startswith("$"):
            raise NotData("an object's keys must be strings that do not start with '$'")
    return {key: decode(item, other, depth - 1) for key, item in data.items()}


def _decode_tagged(tag: str, content: Any, other: Callable[[str, Any], Any] | None, depth: int) -> Any:
    decoder = _DECODERS.get(tag)
    if decoder is None:
        if other is not None:
            return other(tag, content)
        raise NotData(f"'{tag}' is not the name of a type that can be read")
    try:
        return decoder(content, other, depth - 1)
    except NotData:
        raise
    except Exception as error:
        raise NotData(f"the content of '{tag}' is malformed: {type(error).__name__}") from error


def _large(value: int) -> Any:
    if value.bit_length() > MAX_INTEGER_BITS:
        raise NotData(f"an integer of more than {MAX_INTEGER_BITS} bits is not data")
    return {"$int": hex(value)}


def _range(value: range, other: Any) -> Any:
    if (value.stop - value.start) // value.step > _MAX_RANGE:
        if other is None:
            raise NotData(f"a range of more than {_MAX_RANGE} numbers is not data")
        return other(value)
    return {"$range": [encode(value.start), encode(value.stop), encode(value.step)]}


def _items(value: Any, other: Any, depth: int) -> list[Any]:
    return [encode(item, other, depth - 1) for item in value]


def _pairs(value: Any, other: Any, depth: int) -> list[Any]:
    return [[encode(k, other, depth - 1), encode(v, other, depth - 1)] for k, v in value.items()]


def _sorted_items(value: Any, other: Any, depth: int) -> list[Any]:
    # A set has no order of its own, and a string's hash differs between processes: sort, so that equal
    # sets are equal bytes.
    return sorted(_items(value, other, depth), key=lambda item: (type(item).__name__, repr(item)))


_ENCODERS: dict[type, Callable[[Any, Any, int], Any]] = {
    tuple: lambda v, o, d: {"$tuple": _items(v, o, d)},
    set: lambda v, o, d: {"$set": _sorted_items(v, o, d)},
    frozenset: lambda v, o, d: {"$frozenset": _sorted_items(v, o, d)},
    bytes: lambda v, o, d: {"$bytes": base64.b64encode(v).decode()},
    bytearray: lambda v, o, d: {"$bytearray": base64.b64encode(v).decode()},
    complex: lambda v, o, d: {"$complex": [encode(v.real), encode(v.imag)]},
    range: lambda v, o, d: _range(v, o),
    deque: lambda v, o, d: {"$deque": [_items(v, o, d), v.maxlen]},
    Counter: lambda v, o, d: {"$Counter": _pairs(v, o, d)},
    defaultdict: lambda v, o, d: {"$defaultdict": _pairs(v, o, d)},
    OrderedDict: lambda v, o, d: {"$OrderedDict": _pairs(v, o, d)},
    Decimal: lambda v, o, d: {"$Decimal": str(v)},
    Fraction: lambda v, o, d: {"$Fraction": [encode(v.numerator), encode(v.denominator)]},
    datetime: lambda v, o, d: {"$datetime": _naive(v).isoformat()},
    date: lambda v, o, d: {"$date": v.isoformat()},
    time: lambda v, o, d: {"$time": _naive(v).isoformat()},
    timedelta: lambda v, o, d: {"$timedelta": [v.days, v.seconds, v.microseconds]},
    type: lambda v, o, d: _builtin_type(v, o),
}


def _builtin_type(value: type, other: Callable[[Any], Any] | None) -> Any:
    if value in _TYPES.values():
        return {"$type": value.__name__}
    if other is None:
        raise NotData(f"the type {value.__qualname__} is not plain data")
    return other(value)


def _naive(value: Any) -> Any:
    if value.tzinfo is not None and type(value.tzinfo).__module__ != "datetime":
        raise NotData("a time with a time zone of a foreign type is not plain data")
    return value


def _text(content: Any) -> str:
    if type(content) is not str:
        raise NotData("expected text")
    return content


def _list(content: Any) -> list[Any]:
    if type(content) is not list:
        raise NotData("expected a list")
    return content


def _decode_items(content: Any, other: Any, depth: int) -> list[Any]:
    return [decode(item, other, depth) for item in _list(content)]


def _decode_keys(content: Any, other: Any, depth: int) -> list[Any]:
    items = _decode_items(content, other, depth)
    refuse_collisions(items)
    return items


def _decode_pairs(content: Any, other: Any, depth: int) -> list[tuple[Any, Any]]:
    pairs = [(decode(k, other, depth), decode(v, other, depth)) for k, v in _list(content)]
    if len(pairs) > _MAX_SAME_HASH:
        refuse_collisions([key for key, _ in pairs])
    return pairs


def refuse_collisions(keys: list[Any]) -> None:
    """Raise NotData for keys of which hundreds share one hash: telling them apart takes their number squared.

    A key that repeats is no collision, and small integers, floats and texts cannot be made to collide.
    """
    if len(keys) <= _MAX_SAME_HASH:
        return
    buckets: dict[int, set[Any]] = {}
    for key in keys:
        kind = type(key)
        if kind in _SCATTERED or (kind is int and key in _SMALL):
            continue
        bucket = buckets.setdefault(hash(key), set())
        bucket.add(key)
        if len(bucket) > _MAX_SAME_HASH:
            raise NotData("too many of its keys share one hash")


def _decode_int(content: Any, other: Any, depth: int) -> int:
    if len(_text(content)) > MAX_INTEGER_BITS // 4 + 3:
        raise NotData(f"an integer of more than {MAX_INTEGER_BITS} bits is not data")
    return int(content, 16)


def _decode_decimal(content: Any, other: Any, depth: int) -> Decimal:
    value = Decimal(_text(content))
    if value.is_finite() and (len(content) > _MAX_EXPONENT or abs(value.adjusted()) > _MAX_EXPONENT):
        raise NotData("a Decimal of that size is not data")
    return value


def _integers(content: Any, other: Any, depth: int) -> list[int]:
    items = _decode_items(content, other, depth)
    if any(type(item) is not int for item in items):
        raise NotData("expected integers")
    return items


def _decode_fraction(content: Any, other: Any, depth: int) -> Fraction:
    numerator, denominator = _integers(content, other, depth)
    if max(numerator.bit_length(), denominator.bit_length()) > _MAX_FRACTION_BITS:
        raise NotData("a Fraction of that size is not data")
    return Fraction(numerator, denominator)


def _decode_range(content: Any, other: Any, depth: int) -> range:
    start, stop, step = _integers(content, other, depth)
    if (stop - start) // step > _MAX_RANGE:
        raise NotData(f"a range of more than {_MAX_RANGE} numbers is not data")
    return range(start, stop, step)


def _decode_float(content: Any, other: Any, depth: int) -> float:
    return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[_text(content)]


def _decode_complex(content: Any, other: Any, depth: int) -> complex:
    real, imaginary = _decode_items(content, other, depth)
    return complex(float(real), float(imaginary))


def _decode_defaultdict(content: Any, other: Any, depth: int) -> defaultdict[Any, Any]:
    # The factory is code and stays behind; equality of a defaultdict does not look at it.
    return defaultdict(None, _decode_pairs(content, other, depth))


def _decode_deque(content: Any, other: Any, depth: int) -> deque[Any]:
    items, maxlen = _list(content)
    return deque(_decode_items(items, other, depth), maxlen)


_DECODERS: dict[str, Callable[[Any, Any, int], Any]] = {
    "$tuple": lambda c, o, d: tuple(_decode_items(c, o, d)),
    "$set": lambda c, o, d: set(_decode_keys(c, o, d)),
    "$frozenset": lambda c, o, d: frozenset(_decode_keys(c, o, d)),
    "$dict": lambda c, o, d: dict(_decode_pairs(c, o, d)),
    "$int": _decode_int,
    "$float": _decode_float,
    "$bytes": lambda c, o, d: base64.b64decode(_text(c), validate=True),
    "$bytearray": lambda c, o, d: bytearray(base64.b64decode(_text(c), validate=True)),
    "$complex": _decode_complex,
    "$range": _decode_range,
    "$deque": _decode_deque,
    "$Counter": lambda c, o, d: Counter(dict(_decode_pairs(c, o, d))),
    "$defaultdict": _decode_defaultdict,
    "$OrderedDict": lambda c, o, d: OrderedDict(_decode_pairs(c, o, d)),
    "$Decimal": _decode_decimal,
    "$Fraction": _decode_fraction,
    "$datetime": lambda c, o, d: datetime.fromisoformat(_text(c)),
    "$date": lambda c, o, d: date.fromisoformat(_text(c)),
    "$time": lambda c, o, d: time.fromisoformat(_text(c)),
    "$timedelta": lambda c, o, d: timedelta(*_list(c)),
    "$type": lambda c, o, d: _TYPES[_text(c)],
}
