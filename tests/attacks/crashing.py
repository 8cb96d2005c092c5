"""Programs that want the judge itself to end, to misread them, or to give up on them without a verdict.

A status of "infrastructure" counts as theirs: it is never scored, so that it would spare them the zero.
"""

from __future__ import annotations

from tests.attacks.cases import Case, Kit, asserts, call

_JUDGE = "the judge ends, hangs, or has no verdict"
_ANY = Kit(tests=(call(1, expected=1),), reference="def f(x): return x")
_SHOWN = Kit(tests=(call(1, expected=1),), public=(call(2, expected=2),), reference="def f(x): return x")
_CAUGHT = Kit(
    reference="def f(x): return x",
    tests=asserts("try:\n    f(1)\nexcept Exception as error:\n    repr(error), str(error), error.args\nassert f(1) == 1"),
)
_CALLED = Kit(reference="def f(g): return g(3)", tests=asserts("assert f(lambda n: n) == 3"))
_CHANGED = Kit(reference="def f(x): x.sort()", tests=asserts("x = [2, [1], {'a': {1}}]\nf(x)\nassert x == 1"))
_PRELUDE = "import os, struct, sys\nfrom codeself.sandbox import channel\n"


def _raw(expression: str, kit: Kit = _ANY) -> str:
    """Write bytes in place of the answer to the first call, and close."""
    return _PRELUDE + f"def f(*a):\n    os.write(3, {expression})\n    os._exit(0)\n"


def _frame(frame: str) -> str:
    """Write one frame in place of the answer, then answer no more."""
    return _PRELUDE + f"def f(*a):\n    os.write(3, channel.pack({frame}))\n    os.read(3, 100000)\n    os._exit(0)\n"


def _body(expression: str) -> str:
    return _PRELUDE + f"def f(*a):\n    body = {expression}\n    os.write(3, struct.pack('>I', len(body)) + body)\n    os._exit(0)\n"


def _raises(definition: str, value: str) -> str:
    return f"{definition}\ndef f(*a): raise {value}\n"


BYTES = [
    ("nothing at all", "b''"),
    ("random bytes", "bytes(random.Random(5).randbytes(4096))"),
    ("zeros", "bytes(4096)"),
    ("a cut header", "b'\\0\\0'"),
    ("a frame of no bytes", "b'\\0\\0\\0\\0'"),
    ("a length of 4 GiB", "b'\\xff\\xff\\xff\\xff' + b'x' * 1000"),
    ("a length just over the cap", "struct.pack('>I', 2048 * 1024 + 1)"),
    ("a frame cut off", "struct.pack('>I', 1000) + b'[\"value\"'"),
    ("text", "b'HTTP/1.1 200 OK\\r\\n\\r\\npassed\\n'"),
    ("many frames at once", "channel.pack(['value', 2]) * 10000"),
]
BODIES = [
    ("a byte that UTF-8 never uses", "b'\\xc1'"),
    ("another encoding", "'[\"value\", 1]'.encode('utf-16')"),
    ("a byte order mark", "b'\\xef\\xbb\\xbf[\"value\", 2]'"),
    ("an integer in place of a frame", "b'7'"),
    ("a text in place of a frame", "b'\"value\"'"),
    ("a map in place of a frame", "b'{\"a\": 1}'"),
    ("null in place of a frame", "b'null'"),
    ("an empty list", "b'[]'"),
    ("a list that does not end", "b'[\"value\", [1'"),
    ("a text that does not end", "b'[\"value\", \"'"),
    ("a megabyte of spaces", "b' ' * 1000000 + b'[\"value\", 2]'"),
    ("lists nested 100,000 deep", "b'[\"value\",' + b'[' * 100000 + b']' * 100000 + b']'"),
    ("maps nested 50,000 deep", "b'[\"value\",' + b'{\"a\":' * 50000 + b'1' + b'}' * 50000 + b']'"),
    ("tuples nested 500 deep", "b'[\"value\",' + b'{\"$tuple\":[' * 500 + b']}' * 500 + b']'"),
    ("half a million empty lists", "b'[\"value\",[' + b'[],' * 500000 + b'1]]'"),
    ("an integer of a million digits", "b'[\"value\",' + b'9' * 1000000 + b']'"),
    ("an integer of 5,000 digits", "b'[\"value\",' + b'9' * 5000 + b']'"),
    ("a float beyond all floats", "b'[\"value\",1e999999999]'"),
    ("a NaN and infinities raw", "b'[\"value\",[NaN,Infinity,-Infinity]]'"),
    ("a lone surrogate, escaped", "b'[\"value\",\"\\\\ud800\"]'"),
    ("a lone surrogate, raw", "b'[\"value\",\"\\xed\\xa0\\x80\"]'"),
    ("a kind with a lone surrogate", "b'[\"\\\\ud800\",1]'"),
    ("an escape that does not exist", "b'[\"value\",\"\\\\x41\"]'"),
    ("a text with a raw zero and line ends", "b'[\"value\",\"\\0\\n\"]'"),
    ("a map with an integer key", "b'[\"value\",{1:1}]'"),
    ("a map with one key twice", "b'[\"value\",{\"a\":1,\"a\":2}]'"),
    ("a tag twice, once right", "b'[\"value\",{\"$int\":\"zz\",\"$int\":\"0x1\",\"$set\":[]}]'"),
    ("a comment", "b'[\"value\",2]//'"),
    ("trailing text", "b'[\"value\",2] [\"value\",1]'"),
    ("the kind alone", "b'[\"value\"]'"),
    ("a value and thirteen more", "b'[\"value\"' + b',1' * 14 + b']'"),
    ("a list in place of the kind", "b'[[\"value\"],1]'"),
    ("a map in place of the kind", "b'[{\"value\":1},1]'"),
]
FRAMES = [
    ("a kind that does not exist", "['nonsense', 1]"),
    ("a request in place of an answer", "['ask', None, None, ['f'], {}, False]"),
    ("a callback nobody passed", "['call', 0, [], {}]"),
    ("a callback numbered -1", "['call', -1, [1], {}]"),
    ("a callback numbered 10^18", "['call', 10 ** 18, [1], {}]"),
    ("a callback numbered True", "['call', True, [1], {}]"),
    ("a callback named", "['call', 'eval', ['1'], {}]"),
    ("a callback without arguments", "['call', 0]"),
    ("a callback with a map of arguments", "['call', 0, {'a': 1}, [1]]"),
    ("a callback with keywords that are none", "['call', 0, [], {'': 1, 'n': 2}]"),
    ("a raised that says nothing", "['raised']"),
    ("a raised of numbers", "['raised', 1, 2]"),
    ("a raised of no names", "['raised', [], '']"),
    ("a raised of names that are not names", "['raised', [1, None, ['x']], 'm']"),
    ("a raised of a million names", "['raised', ['x'] * 100000, 'm']"),
    ("an unknown tag", "['value', {'$nonsense': 1}]"),
    ("a tag of a megabyte", "['value', {'$' + 'x' * 1000000: 1}]"),
    ("a tag with surrogates and line ends", "['value', {'$\\ud800\\n\\0': 1}]"),
    ("two tags in one", "['value', {'$set': [], '$list': []}]"),
    ("an object that is no handle", "['value', {'$object': 7}]"),
    ("a handle with a number as name", "['value', {'$object': [1, 2, 3]}]"),
    ("a handle with a huge number", "['value', {'$object': [2 ** 63, 'x', True]}]"),
    ("a handle named with a megabyte", "['value', {'$object': [1, 'x' * 1000000, 'yes']}]"),
    ("a handle whose kind is a list", "['value', {'$object': [1, 'x', [[]]]}]"),
    ("a function of the judge's", "['value', {'$function': [0, 'f']}]"),
    ("a function of the judge's, counted from the end", "['value', {'$function': [-1, 'f']}]"),
    ("an iterator of the judge's", "['value', {'$iterator': [0, 'next']}]"),
    ("a library function that no test passed", "['value', {'$import': ['os', '_exit']}]"),
    ("an import of lists", "['value', {'$import': [[], {}]}]"),
    ("an answer that went wrong in seven parts", "['raised', ['ValueError'], 'x', None, None, -1, 7]"),
    ("a global of the judge's", "['value', {'$global': 'exit'}]"),
    ("a type that is not listed", "['value', {'$type': 'eval'}]"),
    ("an unhashable in a set", "['value', {'$set': [[]]}]"),
    ("an unhashable key", "['value', {'$dict': [[[], 1]]}]"),
    ("a dict of triples", "['value', {'$dict': [[1, 2, 3]]}]"),
    ("an integer that is none", "['value', {'$int': 'zz'}]"),
    ("an integer given as a list", "['value', {'$int': [1]}]"),
    ("a float that is none", "['value', {'$float': 'abc'}]"),
    ("a float of an unhashable", "['value', {'$float': []}]"),
    ("a Fraction over zero", "['value', {'$Fraction': [1, 0]}]"),
    ("a Fraction of nonsense", "['value', {'$Fraction': [[], {}, 3, 4]}]"),
    ("a Decimal that is none", "['value', {'$Decimal': 'x' * 100000}]"),
    ("a signalling nan", "['value', {'$Decimal': 'sNaN'}]"),
    ("a date that is none", "['value', {'$date': '9999-99-99'}]"),
    ("a timedelta of too much", "['value', {'$timedelta': [10 ** 17, 0, 0]}]"),
    ("a timedelta of texts", "['value', {'$timedelta': ['a'] * 10}]"),
    ("a range of step 0", "['value', {'$range': [0, 1, 0]}]"),
    ("a range of lists", "['value', {'$range': [[], [], []]}]"),
    ("a deque of a negative length", "['value', {'$deque': [[1], -5]}]"),
    ("a complex of huge integers", "['value', {'$complex': [{'$int': '0x' + 'f' * 100000}, 0]}]"),
    ("bytes that are not base64", "['value', {'$bytes': '\\ud800'}]"),
    ("an exception as a value", "['value', {'$exception': [['SystemExit'], 'x']}]"),
    ("an exception that ends, as a value", "['value', [{'$exception': [['MemoryError'], 'x']}, {'$exception': [['OutputLimit'], 'x']}]]"),
    ("an exception of nothing as a value", "['value', {'$exception': []}]"),
    ("a namedtuple of evil names", "['value', {'$namedtuple': ['__import__', ['a b', 'class', '__class__'], [1, 2, 3]]}]"),
    ("in-place changes nobody asked for", "['value', 1, [[1], [2]]]"),
    ("in-place changes that are a number", "['value', 1, 7]"),
]
CHANGES = [
    ("too few in-place changes", "['value', None, []]"),
    ("in-place changes of other types", "['value', None, [{'a': 1}]]"),
    ("in-place changes to handles", "['value', None, [[{'$object': [1, 'x', True]}] * 3]]"),
    ("in-place changes that nest", "['value', None, [[2, [1, [[[[]]]]], {'a': {'$set': [3]}}]]]"),
    ("in-place changes that cannot be read", "['value', None, [{'$nonsense': 1}]]"),
]
EXCEPTIONS = [
    ("named CandidateEnded", "class CandidateEnded(BaseException): pass", "CandidateEnded()"),
    ("named InfrastructureError", "class InfrastructureError(Exception): pass", "InfrastructureError('x')"),
    ("the judge's own InfrastructureError", "class CodeselfError(Exception): pass\nclass InfrastructureError(CodeselfError): pass", "InfrastructureError('x')"),
    ("KeyboardInterrupt", "", "KeyboardInterrupt"),
    ("GeneratorExit", "", "GeneratorExit"),
    ("SystemExit with a list", "", "SystemExit([1])"),
    ("BaseException itself", "", "BaseException('x')"),
    ("a BaseException of its own", "class B(BaseException): pass", "B"),
    ("BaseExceptionGroup", "", "BaseExceptionGroup('g', [KeyboardInterrupt()])"),
    ("ExceptionGroup", "", "ExceptionGroup('g', [ValueError(1)])"),
    ("UnicodeDecodeError", "", "UnicodeDecodeError('utf-8', b'x', 0, 1, 'r')"),
    ("RecursionError", "", "RecursionError('x')"),
    ("MemoryError", "", "MemoryError"),
    ("StopIteration with a value", "", "StopIteration(1)"),
    ("StopAsyncIteration", "", "StopAsyncIteration"),
    ("a type named as a keyword", "K = type('class', (Exception,), {})", "K"),
    ("a type named with ten megabytes", "K = type('x' * 10_000_000, (Exception,), {})", "K"),
    ("a type named with line ends and escapes", "K = type('a\\n\\x1b[31m\\r\"}', (ValueError,), {})", "K"),
    ("a type named with a surrogate", "class M(type):\n    __name__ = '\\ud800'\nclass K(Exception, metaclass=M): pass", "K"),
    ("a type whose name is a number", "class M(type):\n    __name__ = 7\nclass K(Exception, metaclass=M): pass", "K"),
    ("a type whose __mro__ lies", "class M(type):\n    def mro(c): return [c, Exception, BaseException, object]\n    __name__ = property(lambda c: 1 / 0)\nclass K(Exception, metaclass=M): pass", "K"),
    ("a __str__ that exits", "import sys, os\nclass K(Exception):\n    def __str__(s): os._exit(0)", "K"),
    ("a __str__ that raises SystemExit", "class K(Exception):\n    def __str__(s): raise SystemExit", "K"),
    ("a __str__ that returns a number", "class K(Exception):\n    def __str__(s): return 7", "K"),
    ("a __str__ that returns a lying str", "class S(str):\n    def __getitem__(s, i): raise SystemExit\nclass K(Exception):\n    def __str__(s): return S('x')", "K"),
    ("a message of surrogates and zeros", "", "ValueError('\\ud800\\0\\x1b[2J' * 100)"),
    ("an exception that is its own cause", "e = ValueError('x')\ne.__cause__ = e.__context__ = e", "e"),
    ("a chain of a hundred thousand causes", "e = ValueError(0)\nfor i in range(100000):\n    n = ValueError(i); n.__cause__ = e; e = n", "e"),
    ("OutputLimit, as if it had printed", "class OutputLimit(Exception): pass", "OutputLimit"),
    ("NotData", "class NotData(ValueError): pass", "NotData"),
]
PROGRAMS = [
    ("the channel closed", "import os\ndef f(*a):\n    os.close(3)\n    return 1", _ANY),
    ("the channel replaced", "import os\ndef f(*a):\n    os.dup2(0, 3)\n    return 1", _ANY),
    ("the channel shut down for writing", "import socket\ndef f(*a):\n    socket.socket(fileno=3).shutdown(1)\n    return 1", _ANY),
    ("an urgent byte", "import socket\ndef f(*a):\n    s = socket.socket(fileno=3)\n    s.send(b'\\0\\0\\0', socket.MSG_OOB)\n    s.send(b'x', socket.MSG_OOB)\n    s.detach()\n    return 2", _ANY),
    ("a segmentation fault", "import ctypes\ndef f(*a): ctypes.string_at(8)", _ANY),
    ("abort", "import os\ndef f(*a): os.abort()", _ANY),
    ("SIGKILL to itself", "import os\ndef f(*a):\n    os.kill(os.getpid(), 9)\n    import ctypes\n    ctypes.string_at(8)", _ANY),
    ("an illegal instruction", "import mmap, ctypes\nm = mmap.mmap(-1, 4096, prot=7)\nm.write(bytes.fromhex('0f0b'))\ndef f(*a): ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()", _ANY),
    ("a stack overflow in C", "import sys\nsys.setrecursionlimit(10 ** 9)\nf = lambda *a: sorted([1], key=f)", _ANY),
    ("exit status 255", "import os\ndef f(*a): os._exit(255)", _ANY),
    ("modules of the channel broken", "from codeself.sandbox import channel\nfrom codeself.records import values\nchannel.pack = values.encode = values.decode = None\ndef f(*a): return 1", _ANY),
    ("a channel that writes something else", "from codeself.sandbox import channel\nchannel.pack = lambda frame: b'\\0\\0\\0\\1\\xc1'\ndef f(*a): return 1", _ANY),
    ("the runner's loop left", "import sys\ndef f(*a):\n    g = sys._getframe(1)\n    while g:\n        s = g.f_locals.get('self')\n        if s is not None: s.__class__ = type('X', (), {})\n        g = g.f_back\n    return 2", _ANY),
    ("standard streams closed", "import os, sys\ndef f(*a):\n    for n in (0, 1, 2): os.close(n)\n    sys.stdout = sys.stderr = sys.stdin = None\n    raise ValueError", _ANY),
    ("a name that is not there", "g = 1", _ANY),
    ("an entry point that is not a function", "f = 7", _ANY),
    ("an entry point that is None", "f = None", _ANY),
    ("a source with a zero", "def f(x): return x\n\0", _ANY),
    ("a source with an encoding that does not exist", "# -*- coding: klingon -*-\ndef f(x): return", _ANY),
    ("a source of nothing", " ", _ANY),
    ("a source with a byte order mark and form feeds", "\ufeff\f\f\ndef f(x): return 0", _ANY),
    ("a source that redefines __builtins__", "__builtins__ = {}\ndef f(x): return len([])", _ANY),
    ("a source that deletes its globals", "globals().clear()", _ANY),
    ("globals that run code when looked at", "class G(dict):\n    def __getitem__(s, k): raise SystemExit\nimport sys\nsys.modules['candidate'].__dict__.update(f=type('C', (), {'__getattribute__': lambda s, n: 1 / 0})())", _ANY),
]

ATTACKS = [
    *(Case(f"bytes: {name}", "import random\n" + _raw(text), _JUDGE, _ANY) for name, text in BYTES),
    *(Case(f"a body: {name}", _body(text), _JUDGE, _ANY) for name, text in BODIES),
    *(Case(f"a frame: {name}", _frame(text), _JUDGE, _SHOWN) for name, text in FRAMES),
    *(Case(f"a frame, called back: {name}", _frame(text), _JUDGE, _CALLED) for name, text in FRAMES if "callback" in name),
    *(Case(f"a frame: {name}", _frame(text), _JUDGE, _CHANGED) for name, text in CHANGES),
    *(Case(f"raised: {name}", _raises(text, value), _JUDGE, _CAUGHT) for name, text, value in EXCEPTIONS),
    *(Case(f"raised at import: {name}", f"{text}\nraise {value}", _JUDGE, _ANY) for name, text, value in EXCEPTIONS),
    *(Case(name, program, _JUDGE, kit) for name, program, kit in PROGRAMS),
]
