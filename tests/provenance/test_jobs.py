"""What Snakemake wrote down of a job, as the record tells it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from codeself.provenance.jobs import Naming, jobs_behind


def keep(folder: Path, output: str, command: str, **more: object) -> None:
    packed = base64.urlsafe_b64encode(output.encode()).decode()
    parts = [packed[at : at + 100] for at in range(0, len(packed), 100)]
    path = folder.joinpath(*(f"@{part}" for part in parts[:-1]), parts[-1])
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {"rule": "make", "shellcmd": command, "params": ["'0123456789ab'", "7"], "input": [], **more}
    path.write_text(json.dumps(record))


def test_a_job_has_its_words_without_log_and_workers(tmp_path: Path) -> None:
    command = "codeself make --title 'two words' --workers 2 --output out/a.json 2> out/logs/a.log"
    keep(tmp_path, "out/a.json", command, input=["out/b.json", "given.txt"])
    (job,) = jobs_behind(tmp_path, ["out/a.json"], Naming("out"))
    assert job.command == ("codeself", "make", "--title", "two words", "--output", "out/a.json")
    assert (job.code, job.inputs, job.outputs) == (
        "0123456789ab",
        ("given.txt", "out/b.json"),
        ("out/a.json",),
    )


def test_what_launches_a_command_is_no_part_of_it(tmp_path: Path) -> None:
    keep(
        tmp_path, "out/a.json", "accelerate launch --num_processes 2 --no_python codeself train --output out"
    )
    (job,) = jobs_behind(tmp_path, ["out/a.json"], Naming("out"))
    assert job.command == ("codeself", "train", "--output", "out")


def test_a_folder_stands_for_its_files_and_a_long_name_is_read(tmp_path: Path) -> None:
    folder = "out/" + "long" * 60
    keep(tmp_path, folder, "codeself draw --figures " + folder)
    (job,) = jobs_behind(tmp_path, [f"{folder}/a.svg", f"{folder}/b.svg", "out/other"], Naming("out"))
    assert job.outputs == (f"{folder}/a.svg", f"{folder}/b.svg")


def test_places_on_the_host_are_cut_to_their_end(tmp_path: Path) -> None:
    local = '${CODESELF_DATASETS:+--path "$CODESELF_DATASETS"/mbpp.jsonl}'
    keep(
        tmp_path,
        "/data/runs/x/set.jsonl",
        f"codeself fetch {local} --path /data/mine.jsonl --output /data/runs/x/set.jsonl",
    )
    (job,) = jobs_behind(tmp_path, ["x/set.jsonl"], Naming("/data/runs/x"))
    assert job.command == ("codeself", "fetch", "--path", "mine.jsonl", "--output", "x/set.jsonl")


def test_without_metadata_no_job_is_known(tmp_path: Path) -> None:
    (tmp_path / "not base64!").write_text("{")
    assert jobs_behind(tmp_path, ["out/a.json"], Naming("out")) == []
    assert jobs_behind(tmp_path / "gone", ["out/a.json"], Naming("out")) == []


def test_a_folder_elsewhere_keeps_what_is_inside_it_and_nothing_leads_out_of_the_record() -> None:
    name = Naming("../runs/x", ["/data/mine", "../theirs", "near"])
    assert name("../runs/x/tasks/a.jsonl") == "x/tasks/a.jsonl"
    assert name("/data/mine/sub/a.yaml") == "mine/sub/a.yaml"
    assert name("../theirs/a.yaml") == "theirs/a.yaml"
    assert (name("near/a.yaml"), name("../b.j2")) == ("near/a.yaml", "b.j2")
