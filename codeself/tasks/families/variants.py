"""Variants of a family: its parameters drawn, its programs put together, its calls made.

The programs are the project's own, or a user's, and run in this process: see
codeself.tasks.families.definitions.
"""

from __future__ import annotations

import ast
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from codeself.records.digests import seed_from
from codeself.records.errors import InputError
from codeself.records.jsonl import dumps
from codeself.records.values import NotData, decode, encode
from codeself.tasks.families.definitions import Family, indented, parameter_names, signature_of
from codeself.tasks.families.generators import Generators

POOL = 40  # generated calls that a variant's tests are chosen from
_TRIES = 600
_BUILTINS = {kind.__name__: kind for kind in (dict, float, int, len, list, range, set, sorted, str, tuple)}


@dataclass(frozen=True)
class Call:
    """Encoded arguments of one call, and whether the author listed it as an edge. Equal by its arguments."""

    key: str
    args: tuple[Any, ...] = field(compare=False)
    edge: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Outcome:
    """What a program did with a call: a value and its encoding, or the type of the exception it raised."""

    value: Any = None
    encoded: Any = None
    raised: str = ""


@dataclass(frozen=True)
class Variant:
    """A family with its parameters chosen. seed: of the calls that are generated for it."""

    family: Family
    params: dict[str, Any]
    seed: int

    @property
    def _texts(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.params.items()}

    def fill(self, key: str, text: str) -> str:
        return self.family.fill(key, text, self._texts)

    @cached_property
    def signature(self) -> ast.FunctionDef:
        return signature_of(self.family, self._texts)

    @property
    def entry_point(self) -> str:
        return self.signature.name

    @cached_property
    def doc(self) -> str:
        return " ".join(self.fill("doc", self.family.doc).split())

    @cached_property
    def head(self) -> str:
        """Imports and the line of the signature."""
        imports = self.fill("imports", self.family.imports).strip()
        return (
            imports + "\n\n\n" if imports else ""
        ) + f"def {self.fill('signature', self.family.signature)}:\n"

    def body(self, key: str, text: str) -> str:
        return indented(self.fill(key, text))

    @cached_property
    def calls(self) -> list[Call]:
        """Distinct calls: the edges in the order written, then up to POOL generated ones."""
        arity = len(self.signature.args.args)
        found: dict[str, Call] = {}
        for args in self._edges(arity):
            call = self._call("edges", args, edge=True)
            found.setdefault(call.key, call)
        source = random.Random(seed_from(self.seed, self.family.name, dumps(self._texts), "inputs"))
        names = Generators(source).names()
        code = compile(f"({self.fill('inputs', self.family.inputs)}\n,)", "inputs", "eval")
        generated = 0
        for _ in range(_TRIES):
            try:
                args = eval(code, {"__builtins__": _BUILTINS, **names})
            except Exception as error:
                raise InputError(f"{self.place}: inputs: raised {type(error).__name__}: {error}") from None
            if len(args) != arity:
                raise InputError(f"{self.place}: inputs: gives {len(args)} arguments, expected {arity}")
            call = self._call("inputs", args)
            if call.key not in found:
                found[call.key] = call
                generated += 1
                if generated == POOL:
                    break
        return list(found.values())

    @cached_property
    def reference(self) -> Callable[[Call], Outcome]:
        """The reference solution, as a function from calls to outcomes."""
        return function(self, self.head + self.body("reference", self.family.reference), "reference")

    @property
    def place(self) -> str:
        chosen = ", ".join(f"{name}={value!r}" for name, value in self.params.items())
        return f"{self.family.place} ({chosen})"

    def _edges(self, arity: int) -> list[tuple[Any, ...]]:
        text = self.fill("edges", self.family.edges)
        edges = []
        for statement in ast.parse(text).body:
            segment = ast.get_source_segment(text, statement) or ""
            try:
                args = eval(f"({segment}\n,)", {"__builtins__": _BUILTINS})
            except Exception as error:
                raise InputError(f"{self.place}: edges: '{segment}' raised {type(error).__name__}") from None
            if len(args) != arity:
                raise InputError(
                    f"{self.place}: edges: '{segment}' gives {len(args)} arguments, expected {arity}"
                )
            edges.append(args)
        return edges

    def _call(self, key: str, args: tuple[Any, ...], edge: bool = False) -> Call:
        try:
            encoded = tuple(encode(arg) for arg in args)
        except NotData as error:
            raise InputError(f"{self.place}: {key}: {error}") from None
        return Call(dumps(encoded), encoded, edge)


def draw_variants(family: Family, count: int, seed: int) -> list[Variant]:
    """`count` variants, by seed, that differ in what they ask and in what their references return.

    Raises InputError where the parameters do not give that many.
    """
    choices = [
        [list(zip(names, value if len(names) > 1 else [value], strict=True)) for value in values]
        for names, values in ((parameter_names(key), values) for key, values in family.params.items())
    ]
    combinations = [dict(itertools.chain(*parts)) for parts in itertools.product(*choices)]
    random.Random(seed_from(seed, family.name, "params")).shuffle(combinations)
    chosen: list[Variant] = []
    for params in combinations:
        if len(chosen) == count:
            break
        variant = Variant(family, params, seed)
        if all(_differ(variant, other) for other in chosen):
            chosen.append(variant)
    if len(chosen) < count:
        raise InputError(
            f"{family.place}: params: give {len(chosen)} variants that differ in docstring and behaviour,"
            f" expected at least {count}"
        )
    return chosen


def _differ(one: Variant, other: Variant) -> bool:
    if one.doc == other.doc:
        return False
    return any(not agree(one.reference(call), other.reference(call)) for call in one.calls)


def function(variant: Variant, program: str, key: str) -> Callable[[Call], Outcome]:
    """A program's entry point, as a function from calls to outcomes."""
    namespace: dict[str, Any] = {"__name__": "family"}
    try:
        exec(compile(program, key, "exec"), namespace)
    except Exception as error:
        raise InputError(f"{variant.place}: {key}: raised {type(error).__name__}: {error}") from None
    target = namespace[variant.entry_point]

    def outcome(call: Call) -> Outcome:
        try:
            value = target(*(decode(arg) for arg in call.args))
            return Outcome(value, encode(value))
        except NotData:
            raise InputError(f"{variant.place}: {key}: returns what is not plain data") from None
        except Exception as error:
            return Outcome(raised=type(error).__name__)

    return outcome


def agree(one: Outcome, other: Outcome) -> bool:
    """Whether a test that expects the one accepts the other: equal values, floats up to rounding."""
    if one.raised or other.raised:
        return one.raised == other.raised
    return _same(one.value, other.value)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, int | float):
        return abs(one - other) <= 1e-9 + 1e-7 * abs(one)
    if isinstance(one, list | tuple) and type(one) is type(other):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return bool(one == other)


def holds_float(value: Any) -> bool:
    """Whether an encoded value has a float in it, so that it must be compared up to rounding."""
    if isinstance(value, list):
        return any(map(holds_float, value))
    if isinstance(value, dict):
        return "$float" in value or any(map(holds_float, value.values()))
    return isinstance(value, float)
