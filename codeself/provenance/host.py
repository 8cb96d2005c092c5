"""Facts about the machine at hand and what the run cost on it. For people, and outside the record."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

from codeself.provenance.stage_costs import stage_costs
from codeself.records.config import Config
from codeself.records.jsonl import read_records
from codeself.records.locked_reads import ReadTime
from codeself.records.manifest import HostFacts


def host_facts(benchmarks: Path, config: Config) -> HostFacts:
    """No name of the machine or of its user is among them. benchmarks: folder of Snakemake's tables, and of the times
    at which locked tests were read. config: the run's.
    """
    held = _gpus_held(config)
    cpu = _cpu()
    costs = stage_costs(benchmarks) if any(benchmarks.rglob("*.tsv")) else []
    return HostFacts(
        system={
            "kernel": f"{platform.system()} {platform.release()}",
            "architecture": platform.machine(),
            "libc": " ".join(platform.libc_ver()),
        },
        cpu={
            "model": cpu.get("model name", ""),
            "cores": os.cpu_count() or 0,
            "flags": sorted(cpu.get("flags", cpu.get("Features", "")).split()),
        },
        memory_mb=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        gpus=_gpus(),
        costs={
            cost.stage: {
                "jobs": cost.jobs,
                "wall_seconds": round(cost.seconds, 1),
                "cpu_seconds": round(cost.cpu_seconds, 1),
                "gpu_seconds": round(cost.seconds * held.get(cost.stage, 0), 1),
                "peak_mb": round(cost.peak_mb),
            }
            for cost in costs
        },
        locked_reads=_read_times(benchmarks / "locked_reads"),
    )


def _gpus_held(config: Config) -> dict[str, int]:
    """How many GPUs a job of each stage holds while it runs: those of the stages that run the model."""
    if getattr(config.policies[config.base], "device", "cpu") != "cuda":
        return {}
    return {"run_rollouts": 1, "run_agentic": 1, "train": config.practice.processes}


def _read_times(folder: Path) -> tuple[ReadTime, ...]:
    times = [row for path in sorted(folder.rglob("*.jsonl")) for row in read_records(path, ReadTime)]
    return tuple(sorted(times, key=lambda row: row.time))


def _cpu() -> dict[str, str]:
    """What the kernel says of the first core."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return {}
    lines = (line.partition(":") for line in text.partition("\n\n")[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}


def _gpus() -> tuple[str, ...]:
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ()
    return tuple(done.stdout.strip().splitlines())
