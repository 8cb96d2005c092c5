"""What the judge may ask of an object beyond a named method, as the candidate's side does it.

No comparison is among them: its answer would itself be the verdict.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable
from typing import Any


def _leave(manager: Any, message: str | None) -> Any:
    if message is None:
        return type(manager).__exit__(manager, None, None, None)
    return type(manager).__exit__(manager, RuntimeError, RuntimeError(message), None)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "__iter__": iter,
    "__next__": next,
    "__len__": len,
    "__str__": str,
    "__repr__": repr,
    "__bool__": bool,
    "__getitem__": operator.getitem,
    "__setitem__": operator.setitem,
    "__delitem__": operator.delitem,
    "__getattr__": getattr,
    "__setattr__": setattr,
    "__delattr__": delattr,
    "__contains__": operator.contains,
    "__instancecheck__": lambda kind, value: isinstance(value, kind),
    "__subclasscheck__": lambda kind, other: issubclass(other, kind),
    "__copy__": copy.copy,
    "__deepcopy__": copy.deepcopy,
    "__enter__": lambda manager: type(manager).__enter__(manager),
    "__exit__": lambda manager, message: bool(_leave(manager, message)),
}
for _name in "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split():
    _function = getattr(operator, f"__{_name}__")
    OPERATIONS[f"__{_name}__"] = _function
    OPERATIONS[f"__r{_name}__"] = lambda own, other, function=_function: function(other, own)
    OPERATIONS[f"__i{_name}__"] = getattr(operator, f"__i{_name}__")
for _name in "neg pos invert abs".split():
    OPERATIONS[f"__{_name}__"] = getattr(operator, f"__{_name}__")
