"""Programs that use up what there is: the candidate's own allowance, or the judge's patience and memory."""

from __future__ import annotations

from tests.attacks.cases import SHARED, Case, Kit, asserts, call, check

_OWN = "it gets more than its limits, or the machine suffers"
_JUDGE = "the judge stalls, grows or dies over an answer"

# 2^61 - 1: integers that differ by multiples of it have one hash.
_COLLIDING = "P = (1 << 61) - 1\ndef many(n): return [P * (k + 8) + 1 for k in range(n)]\n"
# Pairs with one hash, found by undoing the last rounds of the tuple hash of CPython for a chosen first item.
_COLLIDING_PAIRS = """
M = 1 << 64
P1, P2, P5 = 11400714785074694791, 14029467366897019727, 2870177450012600261
INV1, INV2 = pow(P1, -1, M), pow(P2, -1, M)
def rotl(v, n): return ((v << n) | (v >> (64 - n))) % M
def rotr(v, n): return ((v >> n) | (v << (64 - n))) % M
GOAL = 12345
def partner(a):
    acc = (P5 + a * P2) % M
    acc = rotl(acc, 31) * P1 % M
    before = rotr(GOAL * INV1 % M, 31)
    lane = (before - acc) * INV2 % M
    return lane if lane < (1 << 61) - 1 else None
def pairs(n):
    out, a = [], 1
    while len(out) < n:
        b = partner(a)
        if b is not None: out.append((a, b))
        a += 1
    return out
PAIRS = pairs(9000)
"""
_ANY = Kit(tests=(call(1, expected=1),), reference="def f(x): return x")
_SETS = Kit(
    reference="def f(x): return [1]",
    tests=(call(1, expected=[1], compare="set"),),
)
_AS_SET = Kit(reference="def f(x): return [(1, 2)]", tests=asserts("assert set(map(tuple, f(1))) == {(1, 2)}"))
_LISTED = Kit(reference="def f(x): return iter([1])", tests=asserts("assert list(f(1)) == [1]"))
_SORTED = Kit(reference="def f(x): return [1]", tests=asserts("assert sorted(f(1)) == [1]"))
_SUMMED = Kit(reference="def f(x): return [1]", tests=asserts("assert sum(f(1)) == 1"))
_ROUNDED = Kit(reference="def f(x): return 1.0", tests=asserts("assert round(f(1)) == 1 and int(f(1)) == 1"))
_TIMES = Kit(reference="def f(x): return 3", tests=asserts("assert 'a' * f(1) == 'aaa'", "assert [0] * f(1) == [0] * 3"))
_POWER = Kit(reference="def f(x): return 3", tests=asserts("assert 2 ** f(1) == 8"))
_DIVIDED = Kit(reference="def f(x): return 6", tests=asserts("assert f(1) % 7 == 6 and str(f(1)) == '6'"))
_CALLED = Kit(reference="def f(g): return g(3)", tests=asserts("assert f(lambda n: 2 ** n) == 8"))
_REPEATED = Kit(reference="def f(g): return g(3)", tests=asserts("assert f(lambda n: 'ab' * n) == 'ababab'"))
_SQUARED = Kit(reference="def f(g): return g(3)", tests=asserts("assert f(lambda n: n * n) == 9"))
_PUBLIC = Kit(
    reference="def f(x): return 1",
    public=(call(1, expected=1),),
    tests=(call(2, expected=1),),
)

ATTACKS = [
    # Memory of its own
    Case("one large block", "def f(x): return len(bytearray(1 << 31))", _OWN),
    Case("many small blocks", "def f(x):\n    kept = []\n    while True: kept.append(bytes(5000))", _OWN),
    Case("a doubling string", "def f(x):\n    s = 'ab'\n    while True: s += s", _OWN),
    Case("memory at import", "kept = [bytearray(1 << 20) for _ in range(4000)]\ndef f(x): return sorted(x)", _OWN),
    Case("memory from many threads", "import threading\ndef f(x):\n    kept = []\n    ts = [threading.Thread(target=lambda: kept.append(bytearray(100 << 20))) for _ in range(5)]\n    [t.start() for t in ts]; [t.join() for t in ts]\n    assert len(kept) == 5\n    return sorted(x)", _OWN),
    Case("shared anonymous memory", "import mmap\nkept = [mmap.mmap(-1, 64 << 20) for _ in range(20)]\ndef f(x):\n    for m in kept: m[::4096] = b'x' * (len(m) // 4096)\n    return sorted(x)", _OWN),
    Case("address space without end", "import mmap\ndef f(x):\n    mmap.mmap(-1, 1 << 40)\n    return sorted(x)", _OWN),
    Case("a MemoryError swallowed again and again", "def f(x):\n    while True:\n        try: bytearray(1 << 31)\n        except MemoryError: pass", _OWN),
    Case("a decompression bomb", "import zlib\ndata = zlib.compress(bytes(200 << 20)) if False else zlib.compress(bytes(1 << 20))\ndef f(x):\n    return len(b''.join([zlib.decompress(data)] * 3000))", _OWN),
    # Threads, descriptors, kernel buffers
    Case("a bomb of threads", "import threading, time\ndef f(x):\n    ts = [threading.Thread(target=time.sleep, args=(60,), daemon=True) for _ in range(2000)]\n    for t in ts: t.start()\n    return sorted(x)", _OWN),
    Case("threads that start threads", "import threading\ndef g():\n    for _ in range(3):\n        try: threading.Thread(target=g, daemon=True).start()\n        except RuntimeError: pass\n    while True: pass\ndef f(x):\n    g()", _OWN),
    Case("a bomb of processes", "import os\ndef f(x):\n    while True:\n        try: os.fork()\n        except OSError: pass", _OWN),
    Case("descriptors without end", "import os\ndef f(x):\n    kept = [os.open('/dev/null', 0) for _ in range(1000)]\n    return sorted(x)", _OWN),
    Case("kernel memory in pipes and sockets", "import socket, fcntl\ndef f(x):\n    n = 0\n    for _ in range(500):\n        a, b = socket.socketpair()\n        a.setblocking(False)\n        try:\n            while True: n += a.send(bytes(65536))\n        except BlockingIOError: pass\n        globals().setdefault('kept', []).append((a, b))\n    return sorted(x)", _OWN),
    Case("descriptors in flight", "import socket, array\ndef f(x):\n    kept = 0\n    while kept < 100000:\n        a, b = socket.socketpair()\n        c, d = socket.socketpair()\n        a.sendmsg([b'x'], [(1, 1, array.array('i', [c.fileno(), d.fileno()]))])\n        globals().setdefault('k', []).append(b.detach()); kept += 1\n    return sorted(x)", _OWN),
    # Output
    Case("printing without end", "def f(x):\n    while True: print('x' * 1000)", _OWN),
    Case("printing without end to stderr", "import sys\ndef f(x):\n    while True: sys.stderr.write('x' * 1000)", _OWN),
    Case("printing at import without end", "while True: print('x' * 1000)\ndef f(x): return sorted(x)", _OWN),
    Case("one print beyond the cap", "def f(x):\n    print('x' * 1000000)\n    return sorted(x)", _OWN),
    Case("an output limit swallowed", "def f(x):\n    while True:\n        try: print('x' * 1000)\n        except BaseException: pass", _OWN),
    Case("a flood of warnings", "import warnings\nwarnings.simplefilter('always')\ndef f(x):\n    while True: warnings.warn('x' * 500)", _OWN),
    # Time of its own
    Case("a catastrophic regular expression", "import re\ndef f(x): return re.match('(a+)+$', 'a' * 60 + 'b')", _OWN),
    Case("recursion without end", "import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(x): return f(x)", _OWN),
    Case("recursion without end through C", "import sys\nsys.setrecursionlimit(10 ** 9)\nclass A:\n    def __repr__(s): return repr(s)\ndef f(x): return repr(A())", _OWN),
    Case("a source of ten megabytes", "x = [" + "1," * 1_000_000 + "]\ndef f(y): return y", _OWN),
    Case("a source that nests without end", "x = " + "(" * 50_000 + ")" * 50_000 + "\ndef f(y): return y", _OWN),
    Case("a source of unary operators", "x = " + "-" * 150_000 + "1\ndef f(y): return y", _OWN),
    Case("a source of attribute chains", "x = a" + ".b" * 80_000 + "\ndef f(y): return y", _OWN),
    Case("a source of calls of calls", "x = a" + "()" * 80_000 + "\ndef f(y): return y", _OWN),
    Case("a source of elifs", "if 0: pass\n" + "elif 0: pass\n" * 12_000 + "def f(y): return y", _OWN),
    Case("a source of sums", "x = 1" + "+1" * 80_000 + "\ndef f(y): return y", _OWN),
    Case("a source of lambdas", "x = " + "lambda:" * 20_000 + "1\ndef f(y): return y", _OWN),
    Case("a source of powers", "x = 2" + "**2" * 50_000 + "\ndef f(y): return y", _OWN),
    Case("a source of comparisons and conditionals", "x = " + "1 if 1 else " * 15_000 + "1\ndef f(y): return y", _OWN),
    Case("a constant folded at compile time", "def f(x): return ('a' * 4000, 2 ** 100 ** 2, (1,) * 255) and 10 ** 10 ** 8", _OWN),
    Case("a source of nested f-strings", "x = " + "f'{" * 3 + "1" + "}'" * 3 + "\ndef f(y): return y", _OWN),
    # The size and shape of answers
    Case("a value beyond the cap", "def f(x): return 'x' * (3 << 20)", _JUDGE, _ANY),
    Case("a list of a million empty lists", "def f(x): return [[] for _ in range(1000000)]", _JUDGE, _ANY),
    Case("a list of a million empty dicts", "def f(x): return [{} for _ in range(1000000)]", _JUDGE, _ANY),
    Case("a value that nests a thousand deep", "def f(x):\n    v = []\n    for _ in range(1000): v = [v]\n    return v", _JUDGE, _ANY),
    Case("a list that holds itself", "def f(x):\n    v = []\n    v.append(v)\n    return v", _JUDGE, _ANY),
    Case("a dict that holds itself", "def f(x):\n    v = {}\n    v['v'] = v\n    return v", _JUDGE, _ANY),
    Case("an object graph that doubles at each level", "def f(x):\n    v = [1]\n    for _ in range(60): v = [v, v]\n    return v", _JUDGE, _ANY),
    Case("an enum whose value is itself", "import enum\nclass E(enum.Enum):\n    A = 1\nE.A._value_ = E.A\ndef f(x): return E.A", _JUDGE, _ANY),
    Case("an integer of a million digits", "def f(x): return 10 ** 1000000", _JUDGE, _ANY),
    Case("an integer of 6,000 digits, shown", "def f(x): return 10 ** 6000", _JUDGE, _PUBLIC),
    Case("a Decimal of a billion digits, made an integer", "from decimal import Decimal\ndef f(x): return Decimal('1e999999999')", _JUDGE, _ROUNDED),
    Case("a Decimal of a huge exponent, in a sum", "from decimal import Decimal\ndef f(x): return [Decimal('1e999999999'), Decimal(1)]", _JUDGE, _SUMMED),
    Case("a Fraction of two huge integers", "from codeself.sandbox import channel\nimport os\ndef f(x):\n    os.write(3, channel.pack(['value', {'$Fraction': [{'$int': '0x' + '7' * 900000}, {'$int': '0x' + '3' * 900001}]}]))", _JUDGE, _ANY),
    Case("a range of 10^12 numbers, as a set", "def f(x): return range(10 ** 12)", _JUDGE, _SETS),
    Case("a range of 10^12 numbers, sorted", "def f(x): return range(10 ** 12)", _JUDGE, _SORTED),
    Case("a range of 10^12 numbers, summed", "def f(x): return range(10 ** 12)", _JUDGE, _SUMMED),
    Case("a huge number of repetitions", "def f(x): return 1 << 60", _JUDGE, _TIMES),
    Case("a large number of repetitions", "def f(x): return 3 << 33", _JUDGE, _TIMES),
    Case("a huge exponent", "def f(x): return 1 << 38", _JUDGE, _POWER),
    Case("an exponent that takes minutes", "def f(x): return 3 << 31", _JUDGE, _POWER),
    Case("a huge integer, divided and printed", "def f(x): return 1 << 8000000", _JUDGE, _DIVIDED),
    # Hash collisions
    Case("a set of colliding integers", _COLLIDING + "def f(x): return many(60000)\ndef f(x):\n    from codeself.sandbox import channel\n    import os\n    os.write(3, channel.pack(['value', {'$set': [{'$int': hex(v)} for v in many(60000)]}]))", _JUDGE, _ANY),
    Case("a dict of colliding keys", _COLLIDING + "def f(x):\n    from codeself.sandbox import channel\n    import os\n    os.write(3, channel.pack(['value', {'$dict': [[{'$int': hex(v)}, 1] for v in many(50000)]}]))", _JUDGE, _ANY),
    Case("a Counter of colliding keys", _COLLIDING + "def f(x):\n    from codeself.sandbox import channel\n    import os\n    os.write(3, channel.pack(['value', {'$Counter': [[{'$int': hex(v)}, 1] for v in many(50000)]}]))", _JUDGE, _ANY),
    Case("a list of colliding integers, compared as a set", _COLLIDING + "def f(x): return many(60000)", _JUDGE, _SETS),
    Case("colliding integers, made a set by the test", _COLLIDING + "def f(*x): return many(60000)", _JUDGE, SHARED),
    Case("colliding tuples, made a set by the test", _COLLIDING_PAIRS + "def f(x): return PAIRS * 3", _JUDGE, _AS_SET),
    Case("colliding lists, made tuples and a set by the test", _COLLIDING_PAIRS + "def f(x): return list(map(list, PAIRS))", _JUDGE, _AS_SET),
    Case("a frozenset of frozensets of colliding integers", _COLLIDING + "def f(x): return frozenset(frozenset([v, v + 1]) for v in many(200))", _JUDGE, _ANY),
    # Answers without end
    Case("a generator without end, listed", "def f(x):\n    while True: yield 1", _JUDGE, _LISTED),
    Case("a generator of large values without end, listed", "def f(x):\n    s = 'x' * 1000000\n    while True: yield s", _JUDGE, _LISTED),
    Case("a generator of large values without end, summed", "def f(x):\n    while True: yield 1 << 4000000", _JUDGE, _SUMMED),
    Case("itertools.count, sorted", "import itertools\ndef f(x): return itertools.count()", _JUDGE, _SORTED),
    Case("an object whose iteration never ends", "class E:\n    def __iter__(s): return s\n    def __next__(s): return 1\n    def __len__(s): return 1\ndef f(x): return E()", _JUDGE, _SORTED),
    Case("an object with a length of 10^18", "class E:\n    def __iter__(s): return iter([1])\n    def __len__(s): return 10 ** 18\ndef f(x): return E()", _JUDGE, _LISTED),
    Case("an iterator of iterators without end", "class E:\n    def __iter__(s): return E()\n    def __next__(s): return E()\ndef f(x): return E()", _JUDGE, _SORTED),
    # Callbacks
    Case("a callback called without end", "def f(g):\n    while True: g(1)", _JUDGE, _SQUARED),
    Case("a callback that recurses through both sides", "def f(g): return g(g)", _JUDGE, Kit(reference="def f(g): return 1", tests=asserts("def g(h): return f(h)\nassert f(g) == 1"))),
    Case("a callback asked for 2 to the 10^11", "def f(g): return g(10 ** 11)", _JUDGE, _CALLED),
    Case("a callback asked for 2 to the 10^9", "def f(g): return g(10 ** 9)", _JUDGE, _CALLED),
    Case("a callback asked for a string of 10^11", "def f(g): return g(10 ** 11)", _JUDGE, _REPEATED),
    Case("a callback asked for a string of 4 * 10^9", "def f(g): return g(2 * 10 ** 9)", _JUDGE, _REPEATED),
    Case("a callback that squares large integers", "def f(g):\n    n = 1 << 7000000\n    while True: g(n)", _JUDGE, _SQUARED),
    # In-place changes
    Case("an argument grown without end", "def f(x):\n    while True: x.append(x[:1000] * 10)", _JUDGE),
    Case("an argument grown beyond the cap", "def f(x):\n    x.extend(['y' * 1000] * 5000)\n    return [1, 2, 3]", "", Kit(tests=asserts("x = [3, 1, 2]\nassert f(x) == [1, 2, 3] and x == [3, 1, 2]\nassert x == [3, 1, 2]"))),
    # Many questions
    Case("objects made without end", "class N: pass\ndef f(x):\n    return [N() for _ in range(100000)]", _JUDGE, _ANY),
    Case("a chain of attributes without end", "class N:\n    def __getattr__(s, n): return N()\ndef f(x): return N()", _JUDGE, Kit(reference="def f(x): return None", tests=check("node = candidate(1)\nwhile node is not None:\n    node = node.next"))),
    Case("an exception with a message of ten megabytes", "def f(x): raise ValueError('x' * 10000000)", _JUDGE, _PUBLIC),
]
