"""What tests hold in place of the candidate's functions and objects.

A proxy sends arguments as data, brings the result back as data, and brings back in-place changes of the
arguments. What is not data stays with the candidate behind a handle (codeself.sandbox.handles).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakValueDictionary

from codeself.records import values
from codeself.records.verdicts import Status
from codeself.sandbox import channel
from codeself.sandbox.changes import can_change, same, update
from codeself.sandbox.handles import CallableHandle, Handle, target_of
from codeself.sandbox.lent import Lent
from codeself.sandbox.raised import Raised
from codeself.sandbox.session import CandidateEnded, Session
from codeself.sandbox.sources import tells_apart
from codeself.sandbox.stand_ins import Member, StandIn, record_type

_CHANGES = {"value": 2, "raised": 6}  # where an answer says what became of the arguments
_MAX_ANSWERS = 32  # of the largest size, in one test: what a test keeps of an endless answer is bounded
_BASES: tuple[Any, ...] = (tuple, list, dict, set, str, int, float)
_READINGS = frozenset(
    "__iter__ __next__ __len__ __str__ __bool__ __getitem__ __getattr__ __instancecheck__".split()
)


class Remote:
    """One candidate as tests see it.

    classes: names of the classes that the task is about; classes_asked_for: whether tests use one.
    ended: the candidate's end, once it has come. It counts even where a test swallowed it.
    epoch: grows with each thing that a test does, other than reading.
    changing: tests in which a call changed its arguments and returned something, or raised.
    only_changing: tests in which a call changed its arguments and returned None.
    by_value: tests in which changes are not brought back.
    """

    def __init__(self, session: Session) -> None:
        self.classes: frozenset[str] = frozenset()
        self.classes_asked_for = False
        self.changing: set[str] = set()
        self.only_changing: set[str] = set()
        self.by_value: frozenset[str] = frozenset()
        self.ended: CandidateEnded | None = None
        self.epoch = 0
        self._session = session
        self._raised = Raised()
        self._handles: WeakValueDictionary[int, Handle] | None = None  # most candidates have none
        self._lent = Lent()
        self._received = 0
        self._test = ""
        self._changes_matter = True

    def start_test(self, name: str, changes_matter: bool = True) -> None:
        """changes_matter: whether the test could tell that its arguments have changed."""
        self._test = name
        self._changes_matter = changes_matter
        self._received = self._session.received

    def function(self, name: str) -> CallableHandle:
        """A proxy for a global function, or class, of the candidate's."""
        return CallableHandle(self, name, name, "call", "class" if name in self.classes else "value")

    def get_global(self, name: str) -> Any:
        """The value of a candidate's global. Raises NameError where there is none."""
        value = self.ask(None, None, (name,), {})
        if name in self.classes:
            self.classes_asked_for = True
            if isinstance(value, Handle):
                return self.function(name)
        return value

    def end(self, status: Status, detail: str) -> CandidateEnded:
        """The candidate's end by a decision made here; to be raised."""
        self.ended = self.ended or CandidateEnded(status, detail)
        return self.ended

    def ask(
        self, target: int | str | None, method: str | None, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        given = (*args, *kwargs.values())
        mutable = self._changes_matter and any(map(can_change, given))
        if method not in _READINGS:
            self.epoch += 1
        request = self._request(target, method, args, kwargs, mutable)
        reply = self._exchange(request)
        result = self._decode(reply[1]) if reply[0] == "value" else self._exception(reply[1:])
        after = (*reply, None, None)[_CHANGES[reply[0]]]
        if after is not None:
            if request[0] == channel.HAND:
                sent = [*request[3], *request[4].values()]
            else:
                sent = [self._encode(item) for item in given]
            self._bring_back(given, sent, after, self.only_changing if result is None else self.changing)
        if reply[0] == "value" and len(reply) == 4:
            result = self._itself(given, reply[3], result)
        if reply[0] == "value":
            return result
        if isinstance(result, StopIteration) and method != "__next__":
            # Let through, it would end a loop of the test's own that calls through map.
            raise RuntimeError("raised StopIteration") from result
        raise result

    def ask_encoded(self, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Call a function with arguments that are encoded already; the result as a value."""
        given = tuple(values.decode(item) for item in args)
        named = {key: values.decode(item) for key, item in kwargs.items()}
        reply = self._exchange(self._request(name, None, given, named, False))
        if reply[0] == "raised":
            raise self._exception(reply[1:])
        return self._decode(reply[1])

    def _request(
        self,
        target: int | str | None,
        method: str | None,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        changes: bool,
    ) -> list[Any]:
        """The frame that asks; with encoded arguments where they cannot go as they are."""
        packed = channel.pack_arguments(args, kwargs)
        if packed is not None:
            return [channel.ASK, target, method, packed, changes]
        encoded = [self._encode(item) for item in args]
        named = {key: self._encode(item) for key, item in kwargs.items()}
        return [channel.HAND, target, method, encoded, named, changes]

    def _bring_back(self, given: tuple[Any, ...], sent: list[Any], after: Any, noted: set[str]) -> None:
        """Make the candidate's changes ours, and note the test in which it made them."""
        if type(after) is not list or len(after) != len(given):
            raise self.end("output", "in-place changes that do not match the arguments")
        for ours, before, now in zip(given, sent, after, strict=True):
            # One object passed twice is two there: what was left alone says nothing of the other.
            if now == before or not can_change(ours):
                continue
            theirs = self._decode(now)
            if same(ours, theirs):
                continue
            noted.add(self._test)
            if self._test not in self.by_value:
                update(ours, theirs)

    def _itself(self, given: tuple[Any, ...], position: Any, result: Any) -> Any:
        """The argument that the candidate says it returned, where the test could tell it from an equal one."""
        if type(position) is not int or not 0 <= position < len(given):
            raise self.end("output", "an answer that is not part of the protocol")
        ours = given[position]
        return ours if can_change(ours) and same(ours, result) and tells_apart(self._test) else result

    def _exchange(self, frame: list[Any]) -> list[Any]:
        """Send a request; serve the candidate's calls of our functions until its answer comes."""
        while True:
            if self.ended is not None:
                raise self.ended
            try:
                reply = self._session.ask(frame)
            except CandidateEnded as end:
                self.ended = end
                raise
            if self._session.received - self._received > _MAX_ANSWERS * self._session.cap:
                raise self.end("output", "more data than one test may take")
            if reply[0] == "value" and 2 <= len(reply) <= 4:
                return reply
            if reply[0] == "raised" and 3 <= len(reply) <= 7:
                return reply
            if reply[0] == "call" and len(reply) == 4:
                frame = self._serve_call(*reply[1:])
                continue
            if reply[0] == "broken":
                raise self.end("output", "an answer that cannot be written as data")
            raise self.end("output", "an answer that is not part of the protocol")

    def _serve_call(self, number: Any, args: Any, kwargs: Any) -> list[Any]:
        if not self._lent.has(number):
            raise self.end("output", "a call of a function that was never passed")
        decoded, named = self._decode(args), self._decode(kwargs)
        if type(decoded) is not list or type(named) is not dict:
            raise self.end("output", "a call of a function with what are no arguments")
        try:
            result = self._lent.called(number, decoded, named)
            if hasattr(result, "__len__") and len(result) > self._session.cap:
                raise self.end("output", "a function of the test's made to return too much")
            return [channel.RETURNED, self._encode(result)]
        except Exception as error:
            return [channel.THREW, *self._lent.thrown(error)]

    def _encode(self, value: Any) -> Any:
        return values.encode(value, self._encode_other)

    def _encode_other(self, value: Any) -> Any:
        if isinstance(value, Handle):
            target = target_of(value)
            return {"$object" if isinstance(target, int) else "$global": target}
        if isinstance(value, StandIn):
            return {"$object": value.number}
        if isinstance(value, slice):
            return {"$slice": [self._encode(part) for part in (value.start, value.stop, value.step)]}
        if isinstance(value, BaseException):
            return {"$tuple": [str(value)]}
        if isinstance(value, Iterator) or callable(value):
            return self._lent.lend(value)
        for base in _BASES:
            if isinstance(value, base):
                return self._encode(base(value))
        raise values.NotData(f"a test passes a {type(value).__qualname__}, which is not data")

    def _decode(self, data: Any) -> Any:
        try:
            return values.decode(data, self._decode_other)
        except values.NotData as error:
            raise self.end("output", "an answer that is not data") from error

    def _decode_other(self, tag: str, content: Any) -> Any:
        decoder = _DECODERS.get(tag)
        if decoder is None:
            raise values.NotData("not the name of a type that can be read")
        try:
            return decoder(self, *content)
        except (TypeError, ValueError, LookupError) as error:
            raise values.NotData("not what a type of that name holds") from error

    def _object(self, number: Any, name: Any, kind: Any) -> Handle:
        if type(number) is not int or type(name) is not str or type(kind) is not str:
            raise TypeError
        if self._handles is None:
            self._handles = WeakValueDictionary()
        handle = self._handles.get(number)
        if handle is None:
            # One handle for one object, so that `is` means what it says.
            make = CallableHandle if kind == "call" else Handle
            handle = self._handles[number] = make(self, number, name, kind)
        return handle

    def _record(self, number: Any, name: Any, fields: Any, items: Any) -> Any:
        record = record_type(name, tuple(fields))._make(self._decode(item) for item in items)
        record.number = number
        return record

    def _member(self, number: Any, kind: Any, name: Any, value: Any) -> Member:
        if type(number) is not int or type(kind) is not str or type(name) is not str:
            raise TypeError
        return Member(number, kind, name, self._decode(value))

    def _exception_type(self, *names: Any) -> type[Exception]:
        kind = self._raised.type_named(list(names))
        if kind is None:
            raise TypeError
        return kind

    def _exception(self, parts: list[Any]) -> BaseException:
        names, message, args, state, thrown = (*parts[:5], None, None, None)[:5]
        if (own := self._lent.thrown_before(thrown)) is not None:
            return own
        if args is not None:
            args = self._decode(args)
        if state is not None:
            state = self._decode(state)
        error = self._raised.exception(names, message, args, state)
        if isinstance(error, CandidateEnded):
            self.ended = error
        return error


_DECODERS: dict[str, Callable[..., Any]] = {
    "$keys": lambda remote, *items: dict.fromkeys(remote._decode({"$tuple": [*items]})).keys(),
    "$items": lambda remote, *items: dict(remote._decode({"$tuple": [*items]})).items(),
    "$object": Remote._object,
    "$function": lambda remote, number, name: remote._lent.back(number),
    "$iterator": lambda remote, number, name: remote._lent.back(number),
    "$import": lambda remote, module, name: remote._lent.from_library(module, name),
    "$namedtuple": Remote._record,
    "$enum": Remote._member,
    "$error": Remote._exception_type,
    "$exception": lambda remote, *parts: remote._exception([*parts]),
}
