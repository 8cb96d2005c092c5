# Everything from task definitions to the report: snakemake results/reports/all
# Rules run `codeself` commands, one a kind of artifact; each also works by hand, outside Snakemake.
from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


include: "workflow/rules/config.smk"


pathvars:
    results=CONFIG.results,


wildcard_constraints:
    taskset="|".join(CONFIG.tasksets),
    split="train|dev|test",
    policy="|".join(COMPARED),
    trained="|".join(TRAINED) or "none",
    model="|".join(CONFIG.policies),
    shard=r"\d+",
    part=r"\d+",


rule all:
    default_target: True
    input:
        "<results>/reports/all",
        "<results>/archive/codeself.tar.gz",


include: "workflow/rules/tasks.smk"
include: "workflow/rules/rollouts.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/evidence.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/agentic.smk"
include: "workflow/rules/reports.smk"
include: "workflow/rules/record.smk"
include: "workflow/rules/archive.smk"
