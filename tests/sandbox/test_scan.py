"""The scan notices what no task asks for, never raises, and leaves ordinary programs alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeself.sandbox.scan import scan


@pytest.mark.parametrize(
    ("program", "rule"),
    [
        ("import subprocess", "process"),
        ("from os import path", "host"),
        ("import urllib.request", "network"),
        ("def f(): return open('x')", "files"),
        ("exec('1')", "dynamic-code"),
        ("x = ().__class__.__bases__", "introspection"),
        ("class A:\n def __eq__(self, o): return True", "equality"),
        ("import sys; sys._getframe().f_back", "introspection"),
    ],
)
def test_it_names_what_it_found(program, rule):
    assert rule in {finding.rule for finding in scan(program)}


def test_an_ordinary_program_has_no_findings():
    assert scan("import math, re, collections\ndef f(x):\n    return [math.sqrt(n) for n in x]") == ()


@given(st.text())
def test_any_text_is_scanned_without_an_error(text):
    scan(text)


@pytest.mark.parametrize("program", ["(" * 100_000, "x = " + "-" * 50_000 + "1", "\0", "a" * 300_000])
def test_hostile_sources_do_not_hurt_it(program):
    scan(program)


def test_names_that_only_look_different_are_found():
    assert scan("import \uff4fs\ndef f(x): return x")[0].detail == "imports os"
