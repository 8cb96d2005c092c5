"""Run as a program: Snakemake's dry run, its jobs written down as JSON Lines.

The first argument is the file to write, the others are Snakemake's. Jobs come as the events that Snakemake hands to
plugins for logs, not as its text, into which words of a config could slip a job of their own.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path


class Listener(logging.Filter):
    """Hears of every job. A filter, since Snakemake takes other handlers off its logger."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[dict[str, object]] = []

    def filter(self, record: logging.LogRecord) -> bool:
        from snakemake_interface_logger_plugins.common import LogEvent

        if getattr(record, "event", None) == LogEvent.JOB_INFO:
            told = record.__dict__
            self.jobs.append(
                {
                    "rule": told["rule_name"],
                    "command": told["shellcmd"],
                    "inputs": [str(path) for path in told["input"]],
                    "outputs": [str(path) for path in told["output"]],
                }
            )
        return True


def main() -> int:
    from snakemake.cli import main as snakemake
    from snakemake.logging import logger

    listener = Listener()
    logger.addFilter(listener)
    try:
        snakemake(sys.argv[2:])
    except SystemExit as ended:
        code = ended.code
    Path(sys.argv[1]).write_text("".join(json.dumps(job) + "\n" for job in listener.jobs))
    return code if isinstance(code, int) else int(code is not None)


if __name__ == "__main__":
    sys.exit(main())
