# Training: one job an arm and seed. Its state, in training/{trained}/state until it is done, is no artifact.
#
# in   <results>/plan.json, which holds the config's practice; the train split; the base policy
# out  <results>/training/{trained}/done.json, metrics.jsonl, samples.jsonl    the record; a row a step, a completion
#      <results>/training/{trained}/policy/                                    what practice made of the policy
#      <results>/benchmarks/train/{trained}.steps.jsonl                        seconds: host facts, no record


rule train:
    """An arm practises with one seed. A killed run goes on from its last state."""
    input:
        plan="<results>/plan.json",
        tasks=f"<results>/tasks/{PRACTISED}.jsonl",
        splits=f"<results>/splits/{PRACTISED}.json",
        prompt=prompt_path,
        model=model_path,
    output:
        done="<results>/training/{trained}/done.json",
        metrics="<results>/training/{trained}/metrics.jsonl",
        samples="<results>/training/{trained}/samples.jsonl",
        policy="<results>/training/{trained}/policy/model.json",
        timings="<results>/benchmarks/train/{trained}.steps.jsonl",
    log:
        "<results>/logs/train/{trained}.log",
    benchmark:
        "<results>/benchmarks/train/{trained}.tsv"
    threads: lambda wildcards: getattr(policy_of(wildcards), "threads", 1)
    resources:
        mem_mb=6000,
    params:
        arm=arm_flags,
        policy=policy_flags,
        judge=JUDGE,
        folder=lambda wildcards, output: os.path.dirname(output.done),
        code=training_code,
    shell:
        "codeself train --plan {input.plan:q} --tasks {input.tasks:q} --splits {input.splits:q}"
        " {params.arm} {params.policy} {params.judge} --workers {threads} --output {params.folder:q}"
        " --timings {output.timings:q} 2> {log:q}"
