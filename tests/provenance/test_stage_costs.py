"""The cost of a stage is the sum of its jobs."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeself.provenance.stage_costs import StageCost, stage_costs
from codeself.records.errors import InputError

HEAD = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def test_jobs_of_a_stage_are_added_up_and_the_dearest_stage_is_first(tmp_path: Path) -> None:
    for name, row in (
        ("judge/base/a.0.tsv", "1.5\t0:00:01\t100.0\t0\t0\t0\t0\t0\t0\t1.0\n"),
        ("judge/base/a.1.tsv", "2.5\t0:00:02\t120.0\t0\t0\t0\t0\t0\t0\t2.0\n"),
        ("report.tsv", "0.1\t0:00:00\tNA\tNA\tNA\tNA\tNA\tNA\tNA\tNA\n"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(HEAD + row)
    assert stage_costs(tmp_path) == [
        StageCost("judge", 2, 4.0, 3.0, 2.5, 120.0),
        StageCost("report", 1, 0.1, 0.0, 0.1, 0.0),
    ]


def test_a_folder_without_tables_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no benchmark table"):
        stage_costs(tmp_path)
