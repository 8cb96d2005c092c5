# What belongs to the record of a run: read by the rules of the archive.
from types import SimpleNamespace

# Where tasks come from: task sets that are evaluated, planned for or practised on.
USED = list(
    dict.fromkeys(
        [
            *(each.taskset for each in CONFIG.evaluations),
            PLANNED,
            PRACTISED,
            *([ATTEMPTED] if AGENTIC.policies else []),
        ]
    )
)
# Each policy's evaluations. The plan is made from the base's rates on the dev split.
EVALUATED = {
    "base": list(
        dict.fromkeys(
            [(each.taskset, each.split) for each in CONFIG.evaluations] + [(PLANNED, "dev")] * bool(ARMS)
        )
    ),
    **{policy: [(taskset, "test") for taskset in (PLANNED, *ELSEWHERE)] for policy in TRAINED},
}

DESCRIPTIONS = [
    f"<results>/archive/{name}"
    for name in (
        *("ro-crate-metadata.json", "sbom.cdx.json", "codemeta.json", "checklist.md"),
        *(f"croissant/{taskset}.json" for taskset in USED),
        *(f"cards/{taskset}.dataset.md" for taskset in USED),
        *(f"cards/{policy}.model.md" for policy in EVALUATED),
    )
]


def each_evaluation(pattern, **shards):
    """A path for each policy's each evaluation."""
    return [
        path
        for policy, sets in EVALUATED.items()
        for taskset, split in sets
        for path in expand(pattern, policy=policy, taskset=taskset, split=split, **shards)
    ]


def dataset_files(wildcards):
    """The public files behind the task sets."""
    tasksets = [SimpleNamespace(taskset=name) for name in USED]
    found = [dataset_path(role)(taskset) for taskset in tasksets for role in ("tasks", "plus")]
    return [path for path in found if path]


def given_files(wildcards):
    """What the run was given: the graph, definitions of tasks, prompts, templates of reports; who to cite."""
    tasksets = [SimpleNamespace(taskset=name) for name in USED]
    own = [path for taskset in tasksets for path in definitions(taskset)]
    revises = AGENTIC.policies or REVISING in ARMS
    prompts = [prompt_path(wildcards), *([revision_path(wildcards)] if revises else [])]
    answers = [answers_path(wildcards)] if answers_path(wildcards) else []
    graph = ["Snakefile", *sorted(map(str, Path("workflow/rules").glob("*.smk")))]
    pages = sorted(map(str, Path("codeself/reports/templates").iterdir()))
    documents = ("CITATION.cff", "LICENSE", "methodology.md", "docs/limitations.md", "docs/safety.md")
    about = [name for name in documents if Path(name).is_file()]
    return [*graph, *own, *prompts, *answers, *pages, *about]
