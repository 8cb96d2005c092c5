# Evaluation: each completion judged, then rates with their intervals. Locked tests are run by the final evaluation alone.
#
# in   config judge, reward, metrics, shards, locked_reads; the plan, which stands before any look at the test split
# out  <results>/locked_reads/{policy}/{taskset}.{split}.json                who read locked tests, with which answers
#      <results>/benchmarks/locked_reads/{policy}/{taskset}.{split}.jsonl    when: a host fact, no record
#      <results>/verdicts/{policy}/{taskset}.{split}.{shard}.{part}.jsonl    the judge's results
#      <results>/metrics/{policy}/{taskset}.{split}.json                     pass@k, phases, rewards, power
#      <results>/metrics/{policy}/{taskset}.{split}.tasks.csv                one row a task


rule execute_rollouts:
    """Judges one part of a shard's completions, by public and hidden tests: candidates in the sandbox, tests outside."""
    input:
        tasks="<results>/tasks/{taskset}.jsonl",
        rollouts="<results>/rollouts/{policy}/{taskset}.{split}.{shard}.jsonl",
    output:
        verdicts="<results>/verdicts/{policy}/{taskset}.{split}.{shard}.{part}.jsonl",
    log:
        "<results>/logs/execute_rollouts/{policy}/{taskset}.{split}.{shard}.{part}.log",
    benchmark:
        "<results>/benchmarks/execute_rollouts/{policy}/{taskset}.{split}.{shard}.{part}.tsv"
    wildcard_constraints:
        split="train|dev",
    threads: 2
    resources:
        mem_mb=2000,
    params:
        judge=JUDGE,
        shards=CONFIG.shards.verdicts,
        code=code_digest("execute-rollouts"),
    shell:
        "codeself execute-rollouts --tasks {input.tasks:q} --rollouts {input.rollouts:q} {params.judge}"
        " --shard {wildcards.part} --shards {params.shards} --workers {threads}"
        " --output {output.verdicts:q} 2> {log:q}"


rule open_locked_tests:
    """Lets a policy's answers to the test split meet locked tests, once. What is known of earlier readings is kept."""
    input:
        tasks="<results>/tasks/{taskset}.jsonl",
        splits="<results>/splits/{taskset}.json",
        rollouts=expand(
            "<results>/rollouts/{{policy}}/{{taskset}}.{{split}}.{shard}.jsonl",
            shard=range(CONFIG.shards.rollouts),
        ),
        plan=["<results>/plan.json"] if ARMS else [],
        training=done_path,
    output:
        reads=update("<results>/locked_reads/{policy}/{taskset}.{split}.json"),
        times=update("<results>/benchmarks/locked_reads/{policy}/{taskset}.{split}.jsonl"),
    log:
        "<results>/logs/open_locked_tests/{policy}/{taskset}.{split}.log",
    benchmark:
        "<results>/benchmarks/open_locked_tests/{policy}/{taskset}.{split}.tsv"
    wildcard_constraints:
        split="test",
    resources:
        mem_mb=1000,
    params:
        files=lambda wildcards, input: flags(
            rollouts=list(input.rollouts), plan=input.plan, training=input.training
        ),
        further=FURTHER,
        code=code_digest("open-locked-tests"),
    shell:
        "codeself open-locked-tests --tasks {input.tasks:q} --splits {input.splits:q} --split {wildcards.split}"
        " --policy {wildcards.policy} {params.files} {params.further}"
        " --output {output.reads:q} --times {output.times:q} 2> {log:q}"


rule final_evaluation:
    """Judges one part of a shard's completions by locked tests as well. No other rule runs these on a policy's answers."""
    input:
        tasks="<results>/tasks/{taskset}.jsonl",
        rollouts="<results>/rollouts/{policy}/{taskset}.{split}.{shard}.jsonl",
        reads="<results>/locked_reads/{policy}/{taskset}.{split}.json",
    output:
        verdicts="<results>/verdicts/{policy}/{taskset}.{split}.{shard}.{part}.jsonl",
    log:
        "<results>/logs/final_evaluation/{policy}/{taskset}.{split}.{shard}.{part}.log",
    benchmark:
        "<results>/benchmarks/final_evaluation/{policy}/{taskset}.{split}.{shard}.{part}.tsv"
    wildcard_constraints:
        split="test",
    threads: 2
    resources:
        mem_mb=2000,
    params:
        judge=JUDGE,
        shards=CONFIG.shards.verdicts,
        code=code_digest("execute-rollouts"),
    shell:
        "codeself execute-rollouts --tasks {input.tasks:q} --rollouts {input.rollouts:q} {params.judge}"
        " --locked-reads {input.reads:q}"
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
        reward_file=REWARD_FILE,
        code=code_digest("evaluate-rollouts"),
    shell:
        "codeself evaluate-rollouts --tasks {input.tasks:q} --splits {input.splits:q}"
        " --split {wildcards.split} {params.files} {params.metrics}"
        " --output {output.metrics:q} --per-task {output.per_task:q} 2> {log:q}"
