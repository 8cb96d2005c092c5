"""The judge's protocol for other trainers: one JSON object a line in, one a line out.

    {"id": 7, "task": {"entry_point": "f", "tests": [{"args": [1], "expected": 2}]}, "candidate": "def f..."}
    {"id": 7, "verdict": {...}}  or  {"id": 7, "error": "what is wrong with the line"}

docs/judge.md has every key. A line that cannot be used is answered with its error and changes nothing else.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import ValidationError

from codeself.policies.parsing import parse_completion
from codeself.records.base import describe_validation_error
from codeself.records.errors import InputError
from codeself.records.jsonl import dumps
from codeself.records.judging import Limits
from codeself.records.rollouts import FinishReason, PromptStyle
from codeself.records.tasks import Task
from codeself.records.verdicts import Candidate, Verdict
from codeself.sandbox.pool import Job

_KEYS = {"id", "task", "limits", "locked", "candidate", "completion", "prompt_style", "finish_reason"}
_TASKS_KEPT = 512  # read from lines, the last used ones: a task comes with each of its candidates
# What a task for judging alone need not say.
_TASK_DEFAULTS = {"task_id": "task", "family": "task", "prompt": "", "reference_solution": "# not given\n"}


class Protocol:
    """Reads requests and writes answers. Remembers tasks, so that one that comes again is the same object."""

    def __init__(self, limits: Limits, locked: bool = False, tasks: Sequence[Task] = ()) -> None:
        """limits, locked: for a request that does not say. tasks: what a request may name by its task_id; their locked
        tests run only where `locked`.
        """
        self._limits = limits
        self._locked = locked
        self._named = {task.task_id: task for task in tasks}
        self._read: OrderedDict[str, Task] = OrderedDict()

    def request(self, line: str | bytes) -> tuple[Any, Job | str]:
        """A line's id, and the job in it or what is wrong with it."""
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            return None, f"is not whole JSON: {error}"
        if not isinstance(row, dict):
            return None, f"is a {type(row).__name__}; expected an object with id, task and candidate"
        ident = row.get("id")
        if isinstance(ident, dict | list):
            return None, "id: must be a string or a number"
        try:
            return ident, self._job(row)
        except InputError as error:
            return ident, str(error)
        except RecursionError:
            return ident, "nests too deeply"

    def _job(self, row: Mapping[str, Any]) -> Job:
        unknown = sorted(row.keys() - _KEYS)
        if unknown:
            raise InputError(f"{unknown[0]}: is not a known key; known are {', '.join(sorted(_KEYS))}")
        task = self._task(row.get("task"))
        locked = row.get("locked", self._locked)
        if type(locked) is not bool:
            raise InputError("locked: must be true or false")
        if locked and not self._locked and isinstance(row.get("task"), str):
            raise InputError(
                "locked: this judge was started without --locked, and runs no locked test of a loaded task: those are"
                " for a final evaluation"
            )
        return Job(task, _candidate(row, task), locked=locked, limits=self._limits_of(row.get("limits")))

    def _task(self, given: Any) -> Task:
        if isinstance(given, str):
            if given not in self._named:
                raise InputError(f"task: '{given[:80]}' is the id of no task that was loaded")
            return self._named[given]
        if not isinstance(given, dict):
            raise InputError("task: must be an object with entry_point and tests, or a loaded task's id")
        key = dumps(given)
        task = self._read.get(key)
        if task is None:
            task = self._read[key] = read_task(given)
            if len(self._read) > _TASKS_KEPT:
                self._read.popitem(last=False)
        self._read.move_to_end(key)
        return task

    def _limits_of(self, given: Any) -> Limits | None:
        if given is None:
            return None
        if not isinstance(given, dict):
            raise InputError("limits: must be an object")
        try:
            return Limits.model_validate(self._limits.model_dump() | given)
        except ValidationError as error:
            raise InputError(f"limits.{describe_validation_error(error)}") from None


def read_task(given: Mapping[str, Any]) -> Task:
    """A task that says what judging needs: entry_point, and tests (all hidden) or a Task's three lists."""
    fields = {**_TASK_DEFAULTS, **given}
    if "tests" in fields:
        if "hidden_tests" in fields:
            raise InputError("task: tests is another name for hidden_tests; give one of them")
        fields["hidden_tests"] = fields.pop("tests")
    try:
        return Task.model_validate(fields)
    except ValidationError as error:
        raise InputError(f"task.{describe_validation_error(error)}") from None


def _candidate(row: Mapping[str, Any], task: Task) -> Candidate:
    if ("candidate" in row) == ("completion" in row):
        raise InputError("expected either candidate (a program) or completion (a model's text, to be parsed)")
    key = "candidate" if "candidate" in row else "completion"
    if type(row[key]) is not str:
        raise InputError(f"{key}: must be a string")
    if key == "candidate":
        return Candidate(status="parsed", program=row[key], source="given")
    style, finish = row.get("prompt_style", "chat"), row.get("finish_reason", "stop")
    for name, value, known in (
        ("prompt_style", style, get_args(PromptStyle)),
        ("finish_reason", finish, get_args(FinishReason)),
    ):
        if value not in known:
            raise InputError(f"{name}: must be one of {', '.join(known)}")
    return parse_completion(row[key], task, style, finish)


def answer(ident: Any, result: Verdict | str) -> str:
    """The line that answers a request: its verdict, or what was wrong with it."""
    if isinstance(result, Verdict):
        return dumps({"id": ident, "verdict": result.to_json_dict()}) + "\n"
    # Surrogates and control characters of a malformed line stay escaped.
    return dumps({"id": ident, "error": result}) + "\n"
