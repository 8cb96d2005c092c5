"""Answers known beforehand: the reference solutions, or a file's rows. Every draw of a task is the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from codeself.policies.backend import Completion, Progress, Request
from codeself.records.base import Record
from codeself.records.digests import sha256_file, sha256_json, sha256_text
from codeself.records.errors import InputError
from codeself.records.jsonl import read_records
from codeself.records.rollouts import PolicyIdentity
from codeself.records.tasks import Task

REFERENCE = "reference"


class Answer(Record):
    """One row of an answers file."""

    task_id: str
    completion: str


class StaticPolicy:
    chunk = 5_000
    chat_template_sha256 = ""

    def __init__(self, tasks: Sequence[Task], answers: str) -> None:
        """answers: "reference", or the path of a JSONL file. Every task needs one; others are passed over."""
        if answers == REFERENCE:
            self._answers = {task.task_id: task.reference_solution for task in tasks}
            digest = sha256_json(self._answers)
        else:
            self._answers = _read_answers(Path(answers))
            digest = sha256_file(Path(answers))
        missing = [task.task_id for task in tasks if task.task_id not in self._answers]
        if missing:
            named = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
            raise InputError(f"{answers}: has no answer for {len(missing)} of {len(tasks)} tasks: {named}")
        self.identity = PolicyIdentity(backend="static", source=answers, digest=digest)

    def complete(self, requests: Sequence[Request], progress: Progress) -> list[Completion]:
        completions = []
        for request in requests:
            text = self._answers[request.task_id]
            completions.append(Completion(text, "stop", sha256_text(request.prompt.text)))
            progress(1)
        return completions


def _read_answers(path: Path) -> dict[str, str]:
    answers: dict[str, str] = {}
    for answer in read_records(path, Answer):
        if answer.task_id in answers:
            raise InputError(f"{path}: has two answers for task '{answer.task_id}'; expected one a task")
        answers[answer.task_id] = answer.completion
    return answers
