"""A row that changed is told from all others by digests alone."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeself.provenance.merkle import changed_rows, merkle_root
from codeself.records.digests import sha256_bytes


def leaves(rows: list[bytes]) -> list[str]:
    return [sha256_bytes(row) for row in rows]


def test_the_root_of_three_lines_by_hand() -> None:
    a, b, c = (hashlib.sha256(line).digest() for line in (b"a", b"b", b"c"))
    left = hashlib.sha256(b"\x01" + a + b).digest()
    assert merkle_root(leaves([b"a", b"b", b"c"])) == hashlib.sha256(b"\x01" + left + c).hexdigest()


@given(st.lists(st.binary(max_size=5), min_size=1, max_size=20), st.data())
def test_another_row_or_another_order_gives_another_root(rows: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(rows) - 1))
    changed = [*rows[:at], rows[at] + b"!", *rows[at + 1 :]]
    assert merkle_root(leaves(rows)) != merkle_root(leaves(changed))
    assert merkle_root(leaves(rows)) != merkle_root(leaves([*rows, rows[-1]]))
    assert changed_rows(leaves(rows), leaves(changed)) == [at + 1]


@pytest.mark.parametrize(
    ("now", "rows"),
    [
        ("abcd", []),
        ("abxd", [3]),
        ("xbcx", [1, 4]),
        ("abd", [3]),
        ("abcxd", [4]),
        ("abc", [4]),
        ("abcde", [5]),
    ],
)
def test_changed_added_and_missing_rows_are_named(now: str, rows: list[int]) -> None:
    assert changed_rows(leaves([b"a", b"b", b"c", b"d"]), leaves([each.encode() for each in now])) == rows
