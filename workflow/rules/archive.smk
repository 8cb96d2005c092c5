# The record: what was made and how, and one file to check it all from.
#
# in   every artifact of the run, what it was given, lock files
# out  <results>/archive/manifest.json, manifest.md    every artifact with its digest and the command that made it
#      <results>/archive/rows.json                     digests of rows, to name one that changed
#      <results>/archive/ro-crate-metadata.json, croissant/, cards/, sbom.cdx.json, codemeta.json, checklist.md
#      <results>/archive/host.json                     this machine, and the run's cost: no part of the record
#      <results>/archive/codeself.tar.gz               all of it, the same bytes for the same run


rule make_manifest:
    """Every artifact with its digest, the command that made it, and where all of it came from."""
    input:
        datasets=dataset_files,
        tasks=expand("<results>/tasks/{taskset}.jsonl", taskset=USED),
        validations=expand("<results>/tasks/{taskset}.validation.json", taskset=USED),
        audits=evaluated_tasksets("<results>/tasks/{taskset}.audit.json", OWN_FORMATS),
        splits=expand("<results>/splits/{taskset}.json", taskset=USED),
        models=([f"<results>/models/{CONFIG.base}/model.json"] if BACKEND in WITH_WEIGHTS else []),
        rollouts=each_evaluation(
            "<results>/rollouts/{policy}/{taskset}.{split}.{shard}.jsonl",
            shard=range(CONFIG.shards.rollouts),
        ),
        locked_reads=[
            path
            for path in each_evaluation("<results>/locked_reads/{policy}/{taskset}.{split}.json")
            if path.endswith(".test.json")
        ],
        verdicts=each_evaluation(
            "<results>/verdicts/{policy}/{taskset}.{split}.{shard}.{part}.jsonl",
            shard=range(CONFIG.shards.rollouts),
            part=range(CONFIG.shards.verdicts),
        ),
        metrics=each_evaluation("<results>/metrics/{policy}/{taskset}.{split}.json"),
        per_task=each_evaluation("<results>/metrics/{policy}/{taskset}.{split}.tasks.csv"),
        plan=["<results>/plan.json"] if ARMS else [],
        training=expand(
            "<results>/training/{trained}/{file}",
            trained=TRAINED,
            file=["done.json", "metrics.jsonl", "samples.jsonl", "policy/model.json"],
        ),
        comparisons=[f"<results>/comparisons/{PLANNED}.test.json"] if ARMS else [],
        traces=trace_paths() if AGENTIC.policies else [],
        strategies=["<results>/agentic/strategies.json"] if AGENTIC.policies else [],
        reports=rules.index_reports.input.reports,
        figures=[
            f"<results>/reports/{name}_figures"
            for name, is_made in (
                ("baseline", True),
                ("evidence", ARMS),
                ("training", ARMS),
                ("agentic", AGENTIC_PAGES),
            )
            if is_made
        ],
        index=["<results>/reports/all", "<results>/reports/index.html"],
        given=given_files,
        locks=sorted(map(str, Path().glob("requirements.*.lock"))),
    output:
        manifest="<results>/archive/manifest.json",
        rows="<results>/archive/rows.json",
        page="<results>/archive/manifest.md",
        host="<results>/archive/host.json",
    log:
        "<results>/logs/make_manifest.log",
    benchmark:
        "<results>/benchmarks/make_manifest.tsv"
    resources:
        mem_mb=2000,
    params:
        config=json.dumps(CONFIG.model_dump(mode="json"), sort_keys=True),
        files=lambda wildcards, input: flags(
            artifact=[
                path
                for name, paths in input.items()
                if name not in ("given", "locks")
                for path in ([paths] if isinstance(paths, str) else paths)
            ],
            given=list(input.given),
            lock=list(input.locks),
        ),
        benchmarks=f"{CONFIG.results}/benchmarks",
        code=code_digest("make-manifest"),
    shell:
        "codeself make-manifest --config {params.config:q} {params.files} --benchmarks {params.benchmarks:q}"
        " --output {output.manifest:q} --rows {output.rows:q} --page {output.page:q} --host {output.host:q}"
        " 2> {log:q}"


rule describe_record:
    """The record in the words of other people's tools: RO-Crate, Croissant, cards, bills of materials, a checklist."""
    input:
        manifest="<results>/archive/manifest.json",
        model="resources/cards/model.md.j2",
        dataset="resources/cards/dataset.md.j2",
    output:
        DESCRIPTIONS,
    log:
        "<results>/logs/describe_record.log",
    benchmark:
        "<results>/benchmarks/describe_record.tsv"
    resources:
        mem_mb=1000,
    params:
        code=code_digest("describe-record"),
    shell:
        "codeself describe-record --manifest {input.manifest:q} --model-template {input.model:q}"
        " --dataset-template {input.dataset:q} 2> {log:q}"


rule make_archive:
    """One file with the whole record, from which it can be checked elsewhere: codeself verify."""
    input:
        manifest="<results>/archive/manifest.json",
        describing=["<results>/archive/rows.json", "<results>/archive/manifest.md", *DESCRIPTIONS],
        host=["<results>/archive/host.json"] if CONFIG.archive.host else [],
    output:
        archive="<results>/archive/codeself.tar.gz",
        statement="<results>/archive/codeself.tar.gz.intoto.json",
    log:
        "<results>/logs/make_archive.log",
    benchmark:
        "<results>/benchmarks/make_archive.tsv"
    resources:
        mem_mb=1000,
    params:
        describing=lambda wildcards, input: flags(describing=[*input.describing, *input.host]),
        archive=CONFIG.archive.model_dump_json(),
        code=code_digest("make-archive"),
    shell:
        "codeself make-archive --manifest {input.manifest:q} {params.describing} --archive {params.archive:q}"
        " --output {output.archive:q} --statement {output.statement:q} 2> {log:q}"
