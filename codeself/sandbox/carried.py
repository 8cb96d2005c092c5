"""The zygote's own code, carried to it by the judge instead of read from where this package is installed.

The zygote then needs no file of the host's beyond the interpreter's, knows no path of it, and has compiled
nothing: what a compiler leaves behind in memory would be paid for by every candidate.
"""

from __future__ import annotations

import importlib.util
import marshal
from functools import lru_cache

PACKAGES = ("codeself", "codeself.records", "codeself.sandbox")
MODULES = (
    "codeself.records.values",
    "codeself.sandbox.candidate",
    "codeself.sandbox.channel",
    "codeself.sandbox.contexts",
    "codeself.sandbox.crossing",
    "codeself.sandbox.descriptors",
    "codeself.sandbox.filesystem",
    "codeself.sandbox.isolation",
    "codeself.sandbox.kernel",
    "codeself.sandbox.mappings",
    "codeself.sandbox.memory",
    "codeself.sandbox.operations",
    "codeself.sandbox.preload",
    "codeself.sandbox.seccomp",
    "codeself.sandbox.serving",
    "codeself.sandbox.syscalls",
    "codeself.sandbox.zygote",
)

# Run in the zygote with {main} for what comes then. Reads the code from standard input.
BOOTSTRAP = """
import marshal, os, sys
with os.fdopen(0, "rb", closefd=False) as stream:
    codes = marshal.loads(stream.read())
null = os.open("/dev/null", os.O_RDONLY)
os.dup2(null, 0)
os.close(null)
class Carried:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in codes:
            return type(sys.__spec__)(name, Carried, is_package=codes[name] is None)
    @staticmethod
    def create_module(spec):
        pass
    @staticmethod
    def exec_module(module):
        code = codes[module.__name__]  # kept: what is freed now leaves a hole between what is loaded last
        if code:
            exec(marshal.loads(code), module.__dict__)
sys.meta_path.insert(0, Carried)
from codeself.sandbox import mappings, preload
mappings.one_heap()
preload.load()
{main}
"""


@lru_cache(maxsize=1)
def code() -> bytes:
    """What BOOTSTRAP reads: marshalled code by module name, with no path in it; None for a package."""
    codes: dict[str, object] = dict.fromkeys(PACKAGES)
    for name in MODULES:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        with open(spec.origin, encoding="utf-8") as stream:
            # Without what only a reader of the source needs: a text between two functions keeps them apart.
            code = compile(stream.read(), f"<{name}>", "exec", dont_inherit=True, optimize=2)
            codes[name] = marshal.dumps(code)
    return marshal.dumps(codes)
