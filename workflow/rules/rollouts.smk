# Rollouts: what a policy wrote for the tasks of a split. A shard loads its model once.
#
# in   config base, policies, sampling; resources/prompts
# out  <results>/models/{model}/model.json                             weights, their digest checked
#      <results>/rollouts/{policy}/{taskset}.{split}.{shard}.jsonl     completions


rule fetch_model:
    """Weights from their pinned source; model.json, written last, says what they are."""
    output:
        model="<results>/models/{model}/model.json",
    log:
        "<results>/logs/fetch_model/{model}.log",
    benchmark:
        "<results>/benchmarks/fetch_model/{model}.tsv"
    resources:
        mem_mb=2000,
    params:
        source=model_flags,
        folder=lambda wildcards, output: os.path.dirname(output.model),
        code=code_digest("fetch-model"),
    shell:
        "codeself fetch-model {params.source} --output {params.folder:q} 2> {log:q}"


rule run_rollouts:
    """One shard of a split's completions, greedy and sampled, each drawn from its own seed."""
    input:
        tasks="<results>/tasks/{taskset}.jsonl",
        splits="<results>/splits/{taskset}.json",
        prompt=prompt_path,
        answers=answers_path,
        model=model_path,
    output:
        rollouts="<results>/rollouts/{policy}/{taskset}.{split}.{shard}.jsonl",
    log:
        "<results>/logs/run_rollouts/{policy}/{taskset}.{split}.{shard}.log",
    benchmark:
        "<results>/benchmarks/run_rollouts/{policy}/{taskset}.{split}.{shard}.tsv"
    threads: lambda wildcards: getattr(policy_of(wildcards), "threads", 1)
    resources:
        mem_mb=4000,
        gpu=GPUS,
    params:
        policy=policy_flags,
        sampling=flags(**CONFIG.sampling.model_dump(), seed=CONFIG.seed),
        shards=CONFIG.shards.rollouts,
        code=sampling_code,
    shell:
        "codeself run-rollouts --tasks {input.tasks:q} --splits {input.splits:q} --split {wildcards.split}"
        " --policy {wildcards.policy} {params.policy} {params.sampling}"
        " --shard {wildcards.shard} --shards {params.shards} --output {output.rollouts:q} 2> {log:q}"
