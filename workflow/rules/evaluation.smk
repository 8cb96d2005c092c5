# Evaluation: each completion judged, then rates with their intervals.
#
# in   config judge, reward, metrics, shards
# out  <results>/verdicts/{policy}/{taskset}.{split}.{shard}.{part}.jsonl    the judge's results
#      <results>/metrics/{policy}/{taskset}.{split}.json                     pass@k, phases, rewards, power
#      <results>/metrics/{policy}/{taskset}.{split}.tasks.csv                one row a task


rule execute_rollouts:
    """Judges one part of a shard's completions: candidates in the sandbox, tests outside it."""
    input:
        tasks="<results>/tasks/{taskset}.jsonl",
        rollouts="<results>/rollouts/{policy}/{taskset}.{split}.{shard}.jsonl",
    output:
        verdicts="<results>/verdicts/{policy}/{taskset}.{split}.{shard}.{part}.jsonl",
    log:
        "<results>/logs/execute_rollouts/{policy}/{taskset}.{split}.{shard}.{part}.log",
    benchmark:
        "<results>/benchmarks/execute_rollouts/{policy}/{taskset}.{split}.{shard}.{part}.tsv"
    threads: 2
    resources:
        mem_mb=2000,
    params:
        judge=judge_flags,
        shards=CONFIG.shards.verdicts,
        code=code_digest("execute-rollouts"),
    shell:
        "codeself execute-rollouts --tasks {input.tasks:q} --rollouts {input.rollouts:q} {params.judge}"
        " --shard {wildcards.part} --shards {params.shards} --workers {threads}"
        " --output {output.verdicts:q} 2> {log:q}"


rule evaluate_rollouts:
    """What the policy can do on one split: rates, intervals, and what a comparison would need."""
    input:
        tasks="<results>/tasks/{taskset}.jsonl",
        splits="<results>/splits/{taskset}.json",
        rollouts=expand(
            "<results>/rollouts/{{policy}}/{{taskset}}.{{split}}.{shard}.jsonl",
            shard=range(CONFIG.shards.rollouts),
        ),
        verdicts=expand(
            "<results>/verdicts/{{policy}}/{{taskset}}.{{split}}.{shard}.{part}.jsonl",
            shard=range(CONFIG.shards.rollouts),
            part=range(CONFIG.shards.verdicts),
        ),
    output:
        metrics="<results>/metrics/{policy}/{taskset}.{split}.json",
        per_task="<results>/metrics/{policy}/{taskset}.{split}.tasks.csv",
    log:
        "<results>/logs/evaluate_rollouts/{policy}/{taskset}.{split}.log",
    benchmark:
        "<results>/benchmarks/evaluate_rollouts/{policy}/{taskset}.{split}.tsv"
    resources:
        mem_mb=2000,
    params:
        files=lambda wildcards, input: flags(rollouts=list(input.rollouts), verdicts=list(input.verdicts)),
        metrics=flags(**CONFIG.metrics.model_dump(), reward=CONFIG.reward, seed=CONFIG.seed),
        code=code_digest("evaluate-rollouts"),
    shell:
        "codeself evaluate-rollouts --tasks {input.tasks:q} --splits {input.splits:q}"
        " --split {wildcards.split} {params.files} {params.metrics}"
        " --output {output.metrics:q} --per-task {output.per_task:q} 2> {log:q}"
