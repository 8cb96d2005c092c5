"""The codec of values: what goes in comes out, type by type, and nothing else comes out."""

from __future__ import annotations

import json
import math
import random
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeself.records.values import MAX_DEPTH, NotData, decode, encode

HASHABLE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.complex_numbers(allow_nan=False),
    st.text(),
    st.binary(),
    st.decimals(allow_nan=False),
    st.fractions(),
    st.dates(),
    # Which of two equal times on a clock that was set back (fold) is not part of a time's equality.
    st.datetimes().map(lambda moment: moment.replace(fold=0)),
    st.times().map(lambda moment: moment.replace(fold=0)),
    st.timedeltas(),
)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    items = st.lists(inner, max_size=4)
    keys = st.one_of(HASHABLE, st.tuples(HASHABLE, HASHABLE))
    return st.one_of(
        items,
        items.map(tuple),
        items.map(deque),
        st.sets(keys, max_size=4),
        st.frozensets(keys, max_size=4),
        st.dictionaries(keys, inner, max_size=4),
        st.dictionaries(st.text(), inner, max_size=4).map(OrderedDict),
        st.lists(keys, max_size=4).map(Counter),
        st.dictionaries(st.text(), inner, max_size=4).map(lambda d: defaultdict(None, d)),
        st.builds(
            lambda start, count, step: range(start, start + count * step, step),
            st.integers(),
            st.integers(-9, 1000),
            st.integers(min_value=1),
        ),
        st.binary().map(bytearray),
    )


VALUES: st.SearchStrategy[Any] = st.deferred(lambda: HASHABLE | containers(VALUES))
TAGS = st.sampled_from(["$tuple", "$set", "$dict", "$int", "$float", "$Decimal", "$datetime", "$deque", "$x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | TAGS, inner, max_size=3),
    max_leaves=8,
)


def same(left: Any, right: Any) -> bool:
    """Equal, and of the same type at every depth: 1, 1.0 and True are told apart."""
    if type(left) is not type(right):
        return False
    if isinstance(left, list | tuple | deque):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, set | frozenset):
        return left == right and sorted(map(repr, left)) == sorted(map(repr, right))
    if isinstance(left, dict):
        return len(left) == len(right) and all(
            same(lk, rk) and same(lv, rv)
            for (lk, lv), (rk, rv) in zip(left.items(), right.items(), strict=True)
        )
    return left == right


@given(VALUES)
def test_a_value_survives_the_way_to_json_and_back(value: Any) -> None:
    text = json.dumps(encode(value), allow_nan=False)
    assert same(decode(json.loads(text)), value)


@given(st.lists(HASHABLE, unique_by=repr, max_size=6), st.randoms())
def test_equal_sets_are_equal_bytes(items: list[Any], order: random.Random) -> None:
    shuffled = list(items)
    order.shuffle(shuffled)
    first, second = set(items), set(shuffled)
    if not same(first, second):  # 1 and True: which of two equal members is kept depends on the order
        return
    assert json.dumps(encode(first)) == json.dumps(encode(second))


@given(JSON)
def test_data_that_encode_cannot_have_written_is_refused_and_never_crashes(data: Any) -> None:
    try:
        value = decode(data)
    except NotData:
        return
    encode(value)


@pytest.mark.parametrize("value", [math.inf, -math.inf, 2**63, -(2**63) - 1, 2**4000, -0.0])
def test_numbers_that_json_lacks_survive(value: float) -> None:
    back = decode(json.loads(json.dumps(encode(value), allow_nan=False)))
    assert type(back) is type(value)
    assert repr(back) == repr(value)


def test_nan_comes_back_as_nan() -> None:
    assert math.isnan(decode(encode(math.nan)))


def test_a_deque_keeps_its_bound() -> None:
    assert decode(encode(deque([1, 2], maxlen=2))).maxlen == 2


def test_times_with_the_standard_time_zone_survive() -> None:
    moment = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert decode(encode([moment, date(2024, 5, 6), time(7), timedelta(1)])) == [
        moment,
        date(2024, 5, 6),
        time(7),
        timedelta(1),
    ]


class Liar(list):  # type: ignore[type-arg]
    def __eq__(self, other: object) -> bool:
        return True


@pytest.mark.parametrize("value", [Liar(), object(), len, [Liar()], {"a": object()}, lambda: 0])
def test_anything_but_the_exact_builtin_types_is_not_data(value: Any) -> None:
    with pytest.raises(NotData):
        encode(value)


def test_other_types_are_encoded_by_whoever_knows_them() -> None:
    assert encode([object()], other=lambda value: {"$handle": 7}) == [{"$handle": 7}]
    assert decode([{"$handle": 7}], other=lambda tag, content: (tag, content)) == [("$handle", 7)]


def test_depth_is_bounded_both_ways() -> None:
    value: list[Any] = []
    for _ in range(MAX_DEPTH + 1):
        value = [value]
    with pytest.raises(NotData, match="deeper"):
        encode(value)
    with pytest.raises(NotData, match="deeper"):
        decode(value)


@pytest.mark.parametrize(
    "data",
    [
        {"$tuple": 1},
        {"$int": "zz"},
        {"$int": 5},
        {"$float": "1.5"},
        {"$set": [[1]]},
        {"$dict": [[1]]},
        {"$Fraction": [1, 0]},
        {"$datetime": "yesterday"},
        {"$unknown": 1},
        {"$tuple": [], "more": 1},
        {"$a": 1, "$b": 2},
        {1: 2},
        (1, 2),
    ],
)
def test_malformed_encodings_are_refused(data: Any) -> None:
    with pytest.raises(NotData):
        decode(data)


def test_numbers_stay_what_they_are() -> None:
    value = [Decimal("1.50"), Fraction(3, 6), 1, 1.0, True]
    assert same(decode(encode(value)), value)
    assert str(decode(encode(Decimal("1.50")))) == "1.50"


def test_what_is_small_to_write_and_endless_to_handle_is_not_data():
    prime = (1 << 61) - 1  # integers that differ by multiples of it have one hash
    colliding = [{"$int": hex(prime * k + 1)} for k in range(8, 5000)]
    for data in (
        {"$set": colliding},
        {"$dict": [[key, 1] for key in colliding]},
        {"$Counter": [[key, 1] for key in colliding]},
        {"$range": [0, 10**12, 1]},
        {"$Decimal": "1e999999999"},
        {"$Fraction": ["1e999999999"]},
        {"$Fraction": [{"$int": "0x" + "7" * 900_000}, {"$int": "0x" + "3" * 900_001}]},
        {"$int": "0x" + "f" * 2_000_000},
    ):
        with pytest.raises(NotData):
            decode(data)
    for value in (10**2_000_000, range(10**12)):
        with pytest.raises(NotData):
            encode(value)


def test_large_honest_collections_are_data():
    pairs = {(n, -n) for n in range(3000)}
    assert decode(encode(pairs)) == pairs
    assert decode(encode({0.5 * n: n for n in range(3000)})) == {0.5 * n: n for n in range(3000)}
    assert len(decode({"$set": [{"$tuple": [-1 - n % 2, 0]} for n in range(5000)]})) == 2
