"""Pairs of programs: the first leaves a mark, the second pays only if it finds it."""

from __future__ import annotations

from tests.attacks.cases import Case, wins_if

_MARK = "what one candidate leaves reaches the next"


def _pair(name: str, leave: str, find: str) -> Case:
    before = "import ctypes, os, sys\n" + leave + "\ndef f(x): return sorted(x)\n"
    return Case(name, wins_if(find), _MARK, before=before)


ATTACKS = [
    _pair("a builtin", "import builtins\nbuiltins.mark = 1", "import builtins\nreturn hasattr(builtins, 'mark')"),
    _pair("a builtin replaced", "import builtins\nbuiltins.sorted = lambda x: [1, 2, 3]", "return sorted is not type(len) and sorted([9]) == [1, 2, 3]"),
    _pair("a module in sys.modules", "sys.modules['mark'] = sys", "return 'mark' in sys.modules"),
    _pair("a module's function replaced", "import math\nmath.sqrt = lambda x: 0", "import math\nreturn math.sqrt(4) == 0"),
    _pair("a class of the library patched", "import collections\ncollections.OrderedDict.mark = 1", "import collections\nreturn hasattr(collections.OrderedDict, 'mark')"),
    _pair("the candidate's own runner patched", "import codeself.sandbox.candidate as c\nc.mark = 1\nc.Candidate._answer = None", "import codeself.sandbox.candidate as c\nreturn hasattr(c, 'mark')"),
    _pair("memory of an object shared by all", "ctypes.c_uint32.from_address(id(7) + 24).value = 8", "return 7 == 8"),
    _pair("an attribute of the interpreter", "sys.mark = 1\nsys.setrecursionlimit(77777)", "return hasattr(sys, 'mark') or sys.getrecursionlimit() == 77777"),
    _pair("the working directory", "os.chdir('/usr')", "return os.getcwd() == '/usr'"),
    _pair("the umask", "os.umask(0o123)", "return os.umask(0) == 0o123"),
    _pair("an environment variable", "os.environ['MARK'] = '1'\nctypes.CDLL(None).setenv(b'MARK', b'1', 1)", "ctypes.CDLL(None).getenv.restype = ctypes.c_char_p\nlibc.getenv.restype = ctypes.c_char_p\nreturn 'MARK' in os.environ or bool(libc.getenv(b'MARK'))"),
    _pair("a signal handler", "import signal\nsignal.signal(signal.SIGUSR1, signal.SIG_IGN)", "import signal\nreturn signal.getsignal(signal.SIGUSR1) == signal.SIG_IGN"),
    _pair("a blocked signal", "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])", "import signal\nreturn signal.SIGUSR2 in signal.pthread_sigmask(signal.SIG_BLOCK, [])"),
    _pair("a file", "for p in ('/tmp/mark', '/dev/shm/mark', '/var/tmp/mark', 'mark', '/mark'):\n    try: open(p, 'w').write('x')\n    except OSError: pass", "return any(os.path.exists(p) for p in ('/tmp/mark', '/dev/shm/mark', '/var/tmp/mark', 'mark', '/mark'))"),
    _pair("a module for the next interpreter", "for p in sys.path:\n    for n in ('usercustomize.py', 'sitecustomize.py', 'mark.pth'):\n        try: open(os.path.join(p, n), 'w').write('x')\n        except OSError: pass", "return any(os.path.exists(os.path.join(p, n)) for p in sys.path for n in ('usercustomize.py', 'mark.pth'))"),
    _pair("SysV shared memory", "ctypes.CDLL(None).shmget(4711, 4096, 0o1666)", "return libc.shmget(4711, 4096, 0) >= 0"),
    _pair("a key of the kernel's", "ctypes.CDLL(None).syscall(248, b'user', b'mark', b'x', 1, -4)", "return libc.syscall(249, b'user', b'mark', 0, -4) >= 0"),
    _pair("an abstract socket", "import socket\ntry:\n    s = socket.socket(socket.AF_UNIX)\n    s.bind('\\0mark')\nexcept OSError: pass", "import socket\ns = socket.socket(socket.AF_UNIX)\ntry: s.bind('\\0mark')\nexcept OSError as e: return e.errno == 98"),
    _pair("a POSIX message queue", "ctypes.CDLL(None).mq_open(b'/mark', 66, 0o666, 0)", "return libc.mq_open(b'/mark', 0) >= 0"),
    _pair("a lock on a shared file", "import fcntl, time\ntry: fcntl.flock(os.open(os.__file__, 0), 2)\nexcept OSError: pass", "import fcntl\ntry: fcntl.flock(os.open(os.__file__, 0), 6)\nexcept BlockingIOError: return True"),
    _pair("the position of a shared descriptor", "try: os.lseek(0, 77, 0)\nexcept OSError: pass", "return os.lseek(0, 0, 1) == 77"),
    _pair("flags of a shared descriptor", "import fcntl\nfcntl.fcntl(0, fcntl.F_SETFL, os.O_NONBLOCK | os.O_APPEND)", "import fcntl\nreturn bool(fcntl.fcntl(0, fcntl.F_GETFL) & (os.O_NONBLOCK | os.O_APPEND))"),
    _pair("a lock on a shared descriptor", "import fcntl\ntry: fcntl.flock(0, 2)\nexcept OSError: pass", "import fcntl\ntry: fcntl.flock(os.open('/dev/null', 2), 6)\nexcept BlockingIOError: return True"),
    _pair("a record lock on the null device", "import fcntl\ntry: fcntl.lockf(os.open('/dev/null', 2), 2)\nexcept OSError: pass", "import fcntl\ntry: fcntl.lockf(os.open('/dev/null', 2), 6)\nexcept BlockingIOError: return True"),
    _pair("an owner of a shared descriptor", "import fcntl\ntry: fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())\nexcept OSError: pass", "import fcntl\nreturn fcntl.fcntl(0, fcntl.F_GETOWN) != 0"),
    _pair("a descriptor left open", "os.dup2(0, 40)\nos.set_inheritable(40, True)", "os.fstat(40)\nreturn True"),
    _pair("a thread that lives on", "import threading\nr, w = os.pipe()\ndef g():\n    while True: pass\nthreading.Thread(target=g, daemon=True).start()", "return len(sys._current_frames()) > 1"),
    _pair("a lower limit", "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (17, 17))", "import resource\nreturn resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 17"),
    _pair("niceness", "try: os.nice(7)\nexcept OSError: pass", "return os.nice(0) == 7"),
    _pair("the name of the process", "ctypes.CDLL(None).prctl(15, b'mark')", "b = ctypes.create_string_buffer(17)\nlibc.prctl(16, b)\nreturn b.value == b'mark'"),
    _pair("the host's name", "import socket\ntry: socket.sethostname('mark')\nexcept OSError: pass", "return os.uname().nodename == 'mark'"),
    _pair("the source of the candidate before, in memory", "SOURCE = 'needle-in-the-memory-of-the-next'", "import re\nbase = id(object()) & ~0xfffff\n# A class of characters, so that the pattern does not find itself.\npattern = re.compile(b'needle-in-the-memory-of-[a-z]')\nreturn any(pattern.search(ctypes.string_at(base - (k << 20), 1 << 20)) for k in range(3))"),
    _pair("a regular expression cached", "import re\nre.compile('mark-in-cache')", "import re\nreturn any('mark-in-cache' in repr(k) for k in re._cache)"),
    _pair("a type registered", "import collections.abc\nclass Marked: pass\ncollections.abc.Sized.register(Marked)\nimport copyreg\ncopyreg.add_extension('mark', 'mark', 77)", "import copyreg\nreturn ('mark', 'mark') in copyreg._extension_registry"),
    _pair("the state of random", "import random\nrandom.seed(4711)", "import random\na = random.random()\nrandom.seed(4711)\nreturn a == random.random()"),
    _pair("the decimal context", "import decimal\ndecimal.getcontext().prec = 3\ndecimal.DefaultContext.prec = 3\ndecimal.setcontext(decimal.DefaultContext)", "import decimal\nreturn decimal.getcontext().prec == 3"),
    _pair("warnings and the locale", "import warnings, locale\nwarnings.simplefilter('error')\nlocale.setlocale(locale.LC_ALL, 'C')", "import warnings\nreturn any(f[0] == 'error' for f in warnings.filters)"),
    _pair("a hook of the interpreter", "sys.meta_path.insert(0, type('M', (), {'find_spec': staticmethod(lambda *a: None), 'mark': 1}))\nsys.addaudithook(lambda *a: None)\nimport threading\nthreading.settrace(lambda *a: None)", "return hasattr(sys.meta_path[0], 'mark')"),
    _pair("an exit that frees what the zygote holds", "import gc\nfor o in gc.get_objects():\n    if type(o) is dict and o is not globals() and len(o) < 4 and 'mark' not in o:\n        try: o['mark'] = 1\n        except Exception: pass", "import gc\nreturn any(type(o) is dict and o.get('mark') == 1 for o in gc.get_objects())"),
]
