# Evidence: declared before training, tested after it, and told in a report.
#
# in   config plan, practice, metrics; the base's metrics on the dev split; every policy's on the test split
# out  <results>/plan.json                                   endpoints, seeds, digests, power: training waits for it
#      <results>/comparisons/{taskset}.{split}.json          every declared test, and the controls
#      <results>/reports/plan.md                             the plan in words
#      <results>/reports/evidence.md, .html, evidence_figures/


rule plan:
    """What will be tested, and what this design could see, before any training."""
    input:
        tasks=f"<results>/tasks/{PLANNED}.jsonl",
        splits=f"<results>/splits/{PLANNED}.json",
        prompt=prompt_path,
        revision=revision_path if REVISING in ARMS else [],
        metrics=f"<results>/metrics/base/{PLANNED}.dev.json",
        per_task=f"<results>/metrics/base/{PLANNED}.dev.tasks.csv",
    output:
        plan="<results>/plan.json",
    log:
        "<results>/logs/plan.log",
    benchmark:
        "<results>/benchmarks/plan.tsv"
    resources:
        mem_mb=1000,
    params:
        declared=flags(
            arm=ARMS,
            train_seed=PRACTICE.training_seeds,
            practice=practice_json(),
            reward=CONFIG.reward,
            samples=CONFIG.sampling.samples,
            greedy=CONFIG.sampling.greedy,
            test_greedy=CONFIG.plan.greedy,
            test_placebos=CONFIG.plan.controls,
            **DECLARED,
        ),
        revision=lambda wildcards, input: flags(revision_prompt=input.revision),
        estimates=flags(
            hoped_for_gain=CONFIG.metrics.hoped_for_gain,
            confidence=CONFIG.metrics.confidence,
            resamples=CONFIG.metrics.resamples,
            seed=CONFIG.seed,
        ),
        reward_file=REWARD_FILE,
        code=code_digest("plan"),
    shell:
        "codeself plan --tasks {input.tasks:q} --splits {input.splits:q} --prompt {input.prompt:q}"
        " --metrics {input.metrics:q} --per-task {input.per_task:q} {params.declared} {params.revision}"
        " {params.estimates} --output {output.plan:q} 2> {log:q}"


rule plan_report:
    """The plan in words: to be read before training, and no reason to train again when its wording changes."""
    input:
        plan="<results>/plan.json",
    output:
        markdown="<results>/reports/plan.md",
    log:
        "<results>/logs/plan_report.log",
    benchmark:
        "<results>/benchmarks/plan_report.tsv"
    resources:
        mem_mb=500,
    params:
        code=code_digest("report-plan"),
    shell:
        "codeself report-plan --plan {input.plan:q} --output {output.markdown:q} 2> {log:q}"


rule compare_policies:
    """Every declared test at once, once all policies are evaluated on the test split."""
    input:
        plan="<results>/plan.json",
        tasks="<results>/tasks/{taskset}.jsonl",
        training=expand("<results>/training/{policy}/done.json", policy=TRAINED),
        metrics=expand("<results>/metrics/{policy}/{{taskset}}.{{split}}.json", policy=COMPARED),
        per_task=expand("<results>/metrics/{policy}/{{taskset}}.{{split}}.tasks.csv", policy=COMPARED),
        other_metrics=expand("<results>/metrics/{policy}/{other}.test.json", policy=COMPARED, other=ELSEWHERE),
        other_per_task=expand(
            "<results>/metrics/{policy}/{other}.test.tasks.csv", policy=COMPARED, other=ELSEWHERE
        ),
        locked_reads=[
            f"<results>/locked_reads/{policy}/{each}.test.json"
            for policy in COMPARED
            for each in (PLANNED, *ELSEWHERE)
        ],
        rollouts=expand(
            "<results>/rollouts/{policy}/{{taskset}}.{{split}}.{shard}.jsonl",
            policy=COMPARED,
            shard=range(CONFIG.shards.rollouts),
        ),
        verdicts=expand(
            "<results>/verdicts/{policy}/{{taskset}}.{{split}}.{shard}.{part}.jsonl",
            policy=COMPARED,
            shard=range(CONFIG.shards.rollouts),
            part=range(CONFIG.shards.verdicts),
        ),
    output:
        comparisons="<results>/comparisons/{taskset}.{split}.json",
    log:
        "<results>/logs/compare_policies/{taskset}.{split}.log",
    benchmark:
        "<results>/benchmarks/compare_policies/{taskset}.{split}.tsv"
    resources:
        mem_mb=2000,
    params:
        files=lambda wildcards, input: flags(
            training=list(input.training),
            metrics=list(input.metrics),
            per_task=list(input.per_task),
            other_metrics=list(input.other_metrics),
            other_per_task=list(input.other_per_task),
            locked_reads=list(input.locked_reads),
            rollouts=list(input.rollouts),
            verdicts=list(input.verdicts),
        ),
        code=code_digest("compare-policies"),
    shell:
        "codeself compare-policies --plan {input.plan:q} --tasks {input.tasks:q} {params.files}"
        " --output {output.comparisons:q} 2> {log:q}"


rule evidence_report:
    """Whether practice helped, by how much and how surely: each claim from its declared test."""
    input:
        plan="<results>/plan.json",
        comparisons=f"<results>/comparisons/{PLANNED}.test.json",
        splits=f"<results>/splits/{PLANNED}.json",
        templates=templates("baseline.md.j2", "baseline.html.j2", "comparison_methods.txt", "style.css"),
    output:
        markdown="<results>/reports/evidence.md",
        html=report(
            "<results>/reports/evidence.html",
            caption="../report/evidence.rst",
            category="Reports",
        ),
        figures=directory("<results>/reports/evidence_figures"),
    log:
        "<results>/logs/evidence_report.log",
    benchmark:
        "<results>/benchmarks/evidence_report.tsv"
    resources:
        mem_mb=2000,
    params:
        title=CONFIG.title,
        code=code_digest("report-evidence"),
    shell:
        "codeself report-evidence --plan {input.plan:q} --comparisons {input.comparisons:q}"
        " --splits {input.splits:q} --title {params.title:q} --output-md {output.markdown:q}"
        " --output-html {output.html:q} --figures {output.figures:q} 2> {log:q}"
