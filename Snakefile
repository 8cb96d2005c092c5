# Everything from task definitions to the report: snakemake results/reports/all
# Rules run `codeself` commands, one a kind of artifact; each also works by hand, outside Snakemake.
import os
import shlex
import sys

from snakemake.utils import min_version

from codeself.provenance.code_digest import code_digest
from codeself.records.config import parse_config
from codeself.records.errors import CodeselfError

min_version("9.27")


configfile: "config/config.yaml"


try:
    CONFIG = parse_config(config, ", ".join(map(str, workflow.configfiles)))
except CodeselfError as error:
    sys.exit(f"codeself: {error}")

# Jobs run the codeself that stands beside this Snakemake, also when its environment is not activated.
os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]


pathvars:
    results=CONFIG.results,


wildcard_constraints:
    taskset="|".join(CONFIG.tasksets),
    split="train|dev|test",
    policy="base",
    model="|".join(CONFIG.policies),
    shard=r"\d+",
    part=r"\d+",


def flags(**values):
    """Command line flags for options whose values come from the config; a list repeats its flag."""
    words = []
    for name, value in values.items():
        for item in value if isinstance(value, (list, tuple)) else [value]:
            flag = "--" + name.replace("_", "-")
            if isinstance(item, bool):
                words.append(flag if item else flag.replace("--", "--no-", 1))
            elif item not in (None, ""):
                words += [flag, str(item)]
    return shlex.join(words)


rule all:
    default_target: True
    input:
        "<results>/reports/all",


include: "workflow/rules/tasks.smk"
include: "workflow/rules/rollouts.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/reports.smk"
