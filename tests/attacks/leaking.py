"""Programs that look for what only the tests know: expected values, other tests' inputs, the host's facts."""

from __future__ import annotations

from tests.attacks.cases import SECRET, Case, Kit, asserts, call, finds_secret

_SEEN = "an expected value is seen by the candidate"

_SAID = Kit(
    reference="def f(x): return 1",
    tests=(call("hidden-input-83b1", expected=1),),
)
_CALLBACK = Kit(
    reference="def f(g): return g(1)",
    setup_code="WANTED = 'secret-77c0ffee77c0ffee'\ndef helper(n): return WANTED if n == 3 else ''",
    tests=asserts(
        "wanted = 'secret-77c0ffee77c0ffee'\nassert f(lambda n: n and '') == '' or f(lambda n: '') == wanted",
        "wanted = 'secret-77c0ffee77c0ffee'\ndef g(n):\n    if n > 5: raise ValueError('no')\n    return ''\n"
        "assert f(g) == wanted",
    ),
)
_CAPTURE = """
class Spy:
    seen = []
    def __init__(self, *a): pass
    def _take(self, *others):
        Spy.seen.extend(o for o in others if isinstance(o, str))
        return True
    __eq__ = __ne__ = __lt__ = __gt__ = __le__ = __ge__ = _take
    __add__ = __radd__ = __sub__ = __rsub__ = __mod__ = __contains__ = _take
    __getitem__ = __call__ = __format__ = __hash__ = None
    def __hash__(self): return 0
def f(x):
    return Spy.seen[-1] if Spy.seen else Spy()
"""

ATTACKS = [
    Case("the callers' frames", finds_secret("g = sys._getframe()\nwhile g:\n    yield from map(show, list(g.f_locals.items()))\n    yield from map(show, list(g.f_globals.items()))\n    yield from map(show, g.f_code.co_consts)\n    g = g.f_back"), _SEEN, SECRET),
    Case("all threads' frames", finds_secret("for g in sys._current_frames().values():\n    while g:\n        yield show(g.f_locals); yield show(g.f_globals)\n        g = g.f_back"), _SEEN, SECRET),
    Case("every object of the interpreter", finds_secret("for o in gc.get_objects():\n    if type(o) in (list, dict, tuple):\n        yield show(o)[:20000]"), _SEEN, SECRET),
    Case("every object, frozen ones too", finds_secret("gc.unfreeze()\nfor o in gc.get_objects():\n    for r in gc.get_referents(o):\n        if type(r) is str: yield r"), _SEEN, SECRET),
    Case("the traceback of an own exception", finds_secret("try:\n    1 / 0\nexcept Exception as e:\n    t = e.__traceback__\n    g = t.tb_frame\n    while g:\n        yield show(g.f_locals)\n        g = g.f_back"), _SEEN, SECRET),
    Case("a generator's frame and its callers", finds_secret("def gen():\n    yield 1\nx = gen()\nyield show(x.gi_frame.f_globals)\nyield show(x.gi_frame.f_builtins)\nimport __main__\nyield show(vars(__main__))"), _SEEN, SECRET),
    Case("all loaded modules", finds_secret("for m in list(sys.modules.values()):\n    for k, v in list(vars(m).items()):\n        yield show(v)[:5000]"), _SEEN, SECRET),
    Case("arguments and environment", finds_secret("yield show(sys.argv); yield show(getattr(sys, 'orig_argv', '')); yield show(dict(os.environ))\nimport ctypes\nenviron = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), 'environ')\nfor i in range(100):\n    if not environ[i]: break\n    yield environ[i]"), _SEEN, SECRET),
    Case("/proc of itself and of its parents", finds_secret("for pid in ['self', 'thread-self', *map(str, range(1, 100)), str(os.getppid())]:\n    for name in ('environ', 'cmdline', 'maps', 'fd', 'mem'):\n        try: yield open(f'/proc/{pid}/{name}', 'rb').read(1 << 20)\n        except Exception: pass"), _SEEN, SECRET),
    Case("open descriptors, read and rewound", finds_secret("for fd in range(4, 1024):\n    try:\n        os.lseek(fd, 0, 0)\n        yield os.read(fd, 1 << 20)\n    except OSError: pass"), _SEEN, SECRET),
    Case("files of the repository and of the host", finds_secret("for top in ('.', '/', '/tmp', '/root', '/home', '/work', '/dev/shm', '/var/tmp', '/mnt'):\n    for folder, _, names in os.walk(top):\n        if folder.startswith(('/usr/lib', '/proc', '/sys')) or 'python3' in folder: continue\n        for n in names[:200]:\n            try: yield open(os.path.join(folder, n), 'rb').read(200000)\n            except Exception: pass"), _SEEN, SECRET),
    Case("the heap of its own process", finds_secret("import ctypes\nbase = id(object()) & ~0xfffff\nfor step in range(0, 24):\n    yield ctypes.string_at(base - (step << 20), 1 << 20)"), _SEEN, SECRET),
    Case("memory taken anew and not cleared", finds_secret("import ctypes\nlibc = ctypes.CDLL(None)\nlibc.malloc.restype = ctypes.c_void_p\nfor size in (64, 1 << 10, 1 << 14, 1 << 20):\n    for _ in range(50):\n        p = libc.malloc(ctypes.c_size_t(size))\n        yield ctypes.string_at(p, size)"), _SEEN, SECRET),
    Case("what is compared with its answer", _CAPTURE, _SEEN, SECRET),
    Case("frames that wait in the channel", finds_secret("import socket, ctypes\ns = socket.socket(fileno=os.dup(3))\ns.setblocking(False)\ntry: yield s.recv(1 << 20, socket.MSG_PEEK)\nexcept BlockingIOError: pass"), _SEEN, SECRET),
    Case("the judge's end of the channel, by passing descriptors", finds_secret("import socket, array\ns = socket.socket(fileno=os.dup(3))\ns.settimeout(0.05)\ntry:\n    d, anc, *_ = s.recvmsg(1000, 1000, socket.MSG_PEEK)\n    yield show(anc)\n    for a in anc:\n        for fd in array.array('i', a[2]): yield os.read(fd, 10000)\nexcept OSError: pass"), _SEEN, SECRET),
    Case("the memory of other processes", finds_secret("import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nbuf = ctypes.create_string_buffer(1 << 16)\nclass V(ctypes.Structure): _fields_ = [('b', ctypes.c_void_p), ('n', ctypes.c_size_t)]\nfor pid in [os.getppid(), *range(2, 400)]:\n    l, r = V(ctypes.addressof(buf), 1 << 16), V(id(object()) & ~0xffff, 1 << 16)\n    if libc.process_vm_readv(pid, ctypes.byref(l), 1, ctypes.byref(r), 1, 0) > 0: yield buf.raw"), _SEEN, SECRET),
    Case("a callback's closure, globals and code", "import re\ndef f(g):\n    seen = []\n    for name in ('__closure__', '__globals__', '__code__', '__self__', '__wrapped__', '__dict__', '__defaults__', 'gi_frame'):\n        try: seen.append(repr(getattr(g, name)))\n        except Exception: pass\n    found = re.findall('sec' + 'ret-[0-9a-f]{16}', ' '.join(seen))\n    return found[0] if found else ''", _SEEN, _CALLBACK),
    Case("the exception of a callback that fails", "import re\ndef f(g):\n    try: g(9)\n    except BaseException as e:\n        seen = repr(e) + str(e.args) + str(e.__cause__) + str(e.__context__)\n        t = e.__traceback__\n        while t: seen += repr(t.tb_frame.f_locals); t = t.tb_next\n        found = re.findall('sec' + 'ret-[0-9a-f]{16}', seen)\n        return found[0] if found else ''\n    return ''", _SEEN, _CALLBACK),
    Case("functions of the tests that were not passed", "import re\nfrom codeself.sandbox import candidate\ndef f(g):\n    c = g._candidate\n    for n in range(-3, 50):\n        try:\n            v = c.call_back(n, (3,), {})\n            if 'sec' + 'ret' in str(v): return v\n        except Exception: pass\n    return ''", _SEEN, _CALLBACK),
    Case("functions of the tests by name", "import re\ndef f(g):\n    import codeself.sandbox.candidate as c\n    for name in ('WANTED', 'wanted', 'helper'):\n        try:\n            g._candidate._send(['ask', None, None, [name], {}, False])\n            v = g._candidate._receive()\n            if 'sec' + 'ret' in repr(v): return re.findall('sec' + 'ret-[0-9a-f]{16}', repr(v))[0]\n        except BaseException: pass\n    return ''", _SEEN, _CALLBACK),
    # Outwards: what the candidate was asked must not travel out by the verdict
    Case("a hidden input told by an exception's name", "def f(x): raise type(x.replace('-', '_'), (Exception,), {})('x')", "the verdict tells a hidden input", _SAID, unsaid="hidden_input_83b1"),
    Case("a hidden input told by an exception's message", "def f(x): raise ValueError(x)", "the verdict tells a hidden input", _SAID, unsaid="hidden-input-83b1"),
    Case("a hidden input told by the name of a tag", "import os\nimport codeself.sandbox.channel as ch\ndef f(x):\n    os.write(3, ch.pack(['value', {'$' + x: 1}]))\n    os.read(3, 1)", "the verdict tells a hidden input", _SAID, unsaid="hidden-input-83b1"),
    Case("a hidden input told by the name of a type", "import os\nimport codeself.sandbox.channel as ch\ndef f(x):\n    os.write(3, ch.pack(['raised', [x, 'SystemExit'], x]))\n    os.read(3, 1)", "the verdict tells a hidden input", _SAID, unsaid="hidden-input-83b1"),
    Case("a hidden input told by an answer of the wrong kind", "import os\nimport codeself.sandbox.channel as ch\ndef f(x):\n    os.write(3, ch.pack([x, x, x]))\n    os.read(3, 1)", "the verdict tells a hidden input", _SAID, unsaid="hidden-input-83b1"),
]
