# Task sets: from definitions or public files to checked tasks and their splits.
#
# in   config tasksets, resources/families
# out  <results>/datasets/{taskset}.{role}.{kind}      a public file, its digest checked
#      <results>/tasks/{taskset}.jsonl                 canonical tasks
#      <results>/tasks/{taskset}.validation.json       no test or solution leaks into a prompt
#      <results>/tasks/{taskset}.audit.json            hidden tests kill the wrong variants
#      <results>/splits/{taskset}.json                 families dealt out to train, dev and test


rule fetch_dataset:
    """A public file, fetched or copied, and refused when its digest is not the pinned one."""
    output:
        file="<results>/datasets/{taskset}.{role}.{kind}",
    log:
        "<results>/logs/fetch_dataset/{taskset}.{role}.{kind}.log",
    benchmark:
        "<results>/benchmarks/fetch_dataset/{taskset}.{role}.{kind}.tsv"
    wildcard_constraints:
        role="tasks|plus",
        kind="|".join(DATASET_KINDS),
    resources:
        mem_mb=500,
    params:
        source=dataset_flags,
        name=lambda wildcards: Path(dataset_of(wildcards).url).name,
        code=code_digest("fetch-dataset"),
    shell:
        # A folder of local copies, where the user has one; a path in the config comes later and so wins.
        'codeself fetch-dataset ${{CODESELF_DATASETS:+--path "$CODESELF_DATASETS"/{params.name:q}}}'
        " {params.source} --output {output.file:q} 2> {log:q}"


rule prepare_tasks:
    """Tasks in the canonical form, from family definitions or from a public file."""
    input:
        definitions=definitions,
        tasks=dataset_path("tasks"),
        plus=dataset_path("plus"),
    output:
        tasks="<results>/tasks/{taskset}.jsonl",
    log:
        "<results>/logs/prepare_tasks/{taskset}.log",
    benchmark:
        "<results>/benchmarks/prepare_tasks/{taskset}.tsv"
    threads: 2
    resources:
        mem_mb=2000,
    params:
        taskset=taskset_flags,
        files=lambda wildcards, input: flags(tasks=input.tasks, plus=input.plus),
        code=preparing_code,
    shell:
        "codeself prepare-datasets {params.taskset} {params.files} --workers {threads}"
        " --output {output.tasks:q} 2> {log:q}"


rule validate_tasks:
    """Refuses a task set that shows a hidden test or a solution in a prompt."""
    input:
        tasks="<results>/tasks/{taskset}.jsonl",
    output:
        validation="<results>/tasks/{taskset}.validation.json",
    log:
        "<results>/logs/validate_tasks/{taskset}.log",
    benchmark:
        "<results>/benchmarks/validate_tasks/{taskset}.tsv"
    resources:
        mem_mb=1000,
    params:
        leaks=leak_flags,
        code=code_digest("validate-tasks"),
    shell:
        "codeself validate-tasks --tasks {input.tasks:q} {params.leaks} --output {output.validation:q} 2> {log:q}"


rule audit_tasks:
    """Judges each task's reference solution and wrong variants: hidden tests must tell them apart."""
    input:
        tasks="<results>/tasks/{taskset}.jsonl",
    output:
        audit="<results>/tasks/{taskset}.audit.json",
    log:
        "<results>/logs/audit_tasks/{taskset}.log",
    benchmark:
        "<results>/benchmarks/audit_tasks/{taskset}.tsv"
    threads: 2
    resources:
        mem_mb=2000,
    params:
        mutants=lambda wildcards: CONFIG.tasksets[wildcards.taskset].mutants,
        code=code_digest("audit-tasks"),
    shell:
        "codeself audit-tasks --tasks {input.tasks:q} --mutants {params.mutants} --workers {threads}"
        " --output {output.audit:q} 2> {log:q}"


rule split_tasks:
    """Deals whole families out to train, dev and test, once the tasks are known to be sound."""
    input:
        tasks="<results>/tasks/{taskset}.jsonl",
        validation="<results>/tasks/{taskset}.validation.json",
    output:
        splits="<results>/splits/{taskset}.json",
    log:
        "<results>/logs/split_tasks/{taskset}.log",
    benchmark:
        "<results>/benchmarks/split_tasks/{taskset}.tsv"
    resources:
        mem_mb=1000,
    params:
        splits=split_flags,
        code=code_digest("split-tasks"),
    shell:
        "codeself split-tasks --tasks {input.tasks:q} {params.splits} --output {output.splits:q} 2> {log:q}"
