"""What is particular about single tasks of EvalPlus's files, as data. The judge has no special case."""

from __future__ import annotations

from typing import Literal

# Comparisons that EvalPlus makes by task. The rest is Python's ==, or closeness for floats.
# "set": the text asks for elements without an order. "not_none": it asks whether there is a match, and an
# answer may be a match object or a bool. "root": any zero of the polynomial is right. "digits": two readings
# of the text, digit by digit or of the difference. (EvalPlus knows a second reading of Mbpp/581 too, but the
# assert in that task's own prompt rules it out.)
Oracle = Literal["plain", "set", "not_none", "root", "digits"]
ORACLES: dict[str, Oracle] = {
    "HumanEval/32": "root",
    "Mbpp/2": "set",
    "Mbpp/7": "set",
    "Mbpp/111": "set",
    "Mbpp/140": "set",
    "Mbpp/232": "set",
    "Mbpp/558": "digits",
    "Mbpp/579": "set",
    "Mbpp/737": "not_none",
    "Mbpp/769": "set",
    "Mbpp/787": "not_none",
    "Mbpp/794": "not_none",
}
# Numbers that the file writes as strings, by position, since JSON has no complex numbers.
NUMBERS_AS_TEXT: dict[str, tuple[type, ...]] = {"Mbpp/124": (float, complex), "Mbpp/252": (complex,)}
# Plus inputs larger than this (the value of a number, the length of anything else) are left out. They are
# stamina tests and their neighbours (1000000, 1000001, ...): even EvalPlus's solution takes seconds on them,
# or returns up to gigabytes. A verdict on them would say more about the machine than about the answer.
LARGEST: dict[str, int] = {
    "HumanEval/15": 200_000,
    "HumanEval/36": 200_000,
    "HumanEval/59": 400_000,
    "HumanEval/83": 500_000,
    "HumanEval/100": 500_000,
    "HumanEval/130": 500_000,
    "HumanEval/139": 300,
    "Mbpp/84": 500_000,
    "Mbpp/123": 4_000,
    "Mbpp/255": 12,
    "Mbpp/271": 200_000,
    "Mbpp/300": 500_000,
    "Mbpp/389": 28,
    "Mbpp/392": 50_000,
    "Mbpp/453": 500_000,
    "Mbpp/583": 13,
    "Mbpp/589": 500_000,
    "Mbpp/592": 900,
    "Mbpp/599": 1_000_000,
    "Mbpp/603": 5_000,
    "Mbpp/630": 7,
}
