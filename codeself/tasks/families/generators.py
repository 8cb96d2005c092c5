"""Seeded generators of call arguments: the names that a family's `inputs` expression may use.

A size is a number or a pair (least, most), both included. A generator of a generator takes a function:
`many((0, 4), lambda: ints((0, 3)))`. Everything is drawn from one seeded source, so that the same seed gives
the same arguments on every machine.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

Size = int | tuple[int, int]

LOWER = "abcdefghijklmnopqrstuvwxyz"
UPPER = LOWER.upper()
LETTERS = LOWER + UPPER
DIGITS = "0123456789"
VOWELS = "aeiou"
MIXED = LETTERS + DIGITS + " .,!?-"

_WORDS = """
apple river stone cloud green seven table mouse light paper house music ocean tiger lemon bread
chair piano eagle onion robot level civic noon radar kayak open idea area echo salt wind tree frog
moon king lamp desk fish rain snow gold iron silk wool a at be cat dog egg fox hat ink jam kid leg
mom net owl pen queen rug sun toy umbrella van window yellow zebra banana coffee committee success
balloon letter summer kitten puddle
"""
WORDS = tuple(_WORDS.split())


class Generators:
    """The generators, bound to one source of randomness."""

    def __init__(self, source: random.Random) -> None:
        self._source = source

    def names(self) -> dict[str, Any]:
        """What an `inputs` expression can see: the generators and the alphabets."""
        generators = {
            name: getattr(self, name) for name in dir(self) if not name.startswith("_") and name != "names"
        }
        return {
            **generators,
            "LOWER": LOWER,
            "UPPER": UPPER,
            "LETTERS": LETTERS,
            "DIGITS": DIGITS,
            "VOWELS": VOWELS,
            "MIXED": MIXED,
        }

    def _size(self, n: Size) -> int:
        return n if isinstance(n, int) else self._source.randint(*n)

    def integer(self, lo: int = -20, hi: int = 20) -> int:
        return self._source.randint(lo, hi)

    def ints(self, n: Size = (0, 10), lo: int = -20, hi: int = 20) -> list[int]:
        return [self._source.randint(lo, hi) for _ in range(self._size(n))]

    def distinct(self, n: Size = (0, 10), lo: int = -20, hi: int = 20) -> list[int]:
        """Integers of which no two are equal, in random order."""
        return self._source.sample(range(lo, hi + 1), self._size(n))

    def number(self, lo: float = -20, hi: float = 20, digits: int = 1) -> float:
        return round(self._source.uniform(lo, hi), digits)

    def numbers(self, n: Size = (0, 10), lo: float = -20, hi: float = 20, digits: int = 1) -> list[float]:
        return [self.number(lo, hi, digits) for _ in range(self._size(n))]

    def boolean(self) -> bool:
        return self._source.random() < 0.5

    def booleans(self, n: Size = (0, 8)) -> list[bool]:
        return [self.boolean() for _ in range(self._size(n))]

    def text(self, n: Size = (0, 12), chars: str = LOWER) -> str:
        """Characters drawn from `chars`; where these are the whole lower case alphabet, often a word."""
        if chars == LOWER and self._source.random() < 0.6:
            least, most = (n, n) if isinstance(n, int) else n
            words = [word for word in WORDS if least <= len(word) <= most]
            if words:
                return self._source.choice(words)
        return "".join(self._source.choice(chars) for _ in range(self._size(n)))

    def word(self) -> str:
        return self._source.choice(WORDS)

    def words(self, n: Size = (0, 7)) -> list[str]:
        return [self.word() for _ in range(self._size(n))]

    def sentence(self, n: Size = (1, 6)) -> str:
        return " ".join(self.words(n))

    def choice(self, options: Sequence[Any]) -> Any:
        return self._source.choice(options)

    def many(self, n: Size, one: Callable[[], Any]) -> list[Any]:
        return [one() for _ in range(self._size(n))]

    def mapping(
        self, n: Size = (0, 6), value: Callable[[], Any] | None = None, key: Callable[[], Any] | None = None
    ) -> dict[Any, Any]:
        """A dict of at most n entries: words to small integers unless said otherwise."""
        value = value or (lambda: self.integer(0, 20))
        key = key or self.word
        return {key(): value() for _ in range(self._size(n))}
