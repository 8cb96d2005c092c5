"""The channel takes any bytes without harm, and returns data exactly."""

from __future__ import annotations

import collections
import marshal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeself.sandbox import channel

FRAMES = st.lists(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=20,
    ),
    min_size=1,
    max_size=5,
)


@given(FRAMES)
def test_a_frame_comes_back_as_it_was(frame):
    packed = channel.pack(frame)
    body = packed[channel.HEADER_BYTES :]
    assert channel.body_length(packed, 1 << 20) == len(body)
    assert channel.unpack(body) == frame


@given(st.binary(max_size=200))
def test_any_bytes_are_a_frame_or_a_channel_error(body):
    try:
        frame = channel.unpack(body)
    except channel.ChannelError:
        return
    assert type(frame) is list


def test_surrogates_cross_lone_and_in_pairs_that_are_no_character():
    frame = ["\ud800", "\ud83d\ude00", "\U0001f600"]
    assert channel.unpack(channel.pack(frame)[channel.HEADER_BYTES :]) == frame


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        b"[1",
        b"[1] 2",
        b"{}",
        b"[]",
        b"\x91\x01",
        b"[" + b"9" * 5000 + b"]",
        b'["\\ud800',
        "[1]".encode("utf-16"),
    ],
)
def test_hostile_bodies_are_refused(body):
    with pytest.raises(channel.ChannelError):
        channel.unpack(body)


def test_a_length_over_the_cap_is_refused_before_anything_is_read():
    with pytest.raises(channel.ChannelError, match="over the cap"):
        channel.body_length(b"\xff\xff\xff\xff", 1 << 20)


@given(
    st.lists(
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.complex_numbers()
            | st.text()
            | st.binary(),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.tuples(inner, inner)
                | st.dictionaries(st.integers() | st.text() | st.tuples(st.text()), inner, max_size=4)
            ),
            max_leaves=20,
        ),
        max_size=4,
    )
)
def test_arguments_of_exact_types_arrive_as_they_are(arguments):
    packed = channel.pack_arguments(tuple(arguments), {"key": arguments})
    given, named = marshal.loads(packed)
    assert repr(given) == repr(tuple(arguments))  # types, order and sign of zero too, and nan beside itself
    assert repr(named) == repr({"key": arguments})


class _Numbers(list):
    pass


@pytest.mark.parametrize(
    "argument",
    [
        bytearray(b"x"),
        memoryview(b"x"),
        {1, 2},
        frozenset("ab"),
        _Numbers(),
        collections.OrderedDict(),
        collections.namedtuple("Point", "x")(1),
        (lambda: 0).__code__,
        StopIteration,
        ...,
        {"key": [(bytearray(b"x"),)]},
        {bytes: 1},
    ],
    ids=lambda argument: type(argument).__name__,
)
def test_arguments_of_other_types_are_left_to_the_encoding(argument):
    assert channel.pack_arguments((1, argument), {}) is None
    assert channel.pack_arguments((1,), {"key": argument}) is None


def test_arguments_nested_without_end_are_left_to_the_encoding():
    endless: list[object] = []
    endless.append(endless)
    assert channel.pack_arguments((endless,), {}) is None
