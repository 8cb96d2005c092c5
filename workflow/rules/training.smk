# Training: one job an arm and seed. Its state, in training/{trained}/state until it is done, is no artifact.
#
# in   <results>/plan.json, which holds the config's practice; the train split; the base policy
# out  <results>/training/{trained}/done.json, metrics.jsonl, samples.jsonl    the record; a row a step, a sample
#      <results>/training/{trained}/policy/                                    what practice made of the policy
#      <results>/benchmarks/train/{trained}.steps.jsonl                        seconds: host facts, no record
#      <results>/reports/training.md, .html, training_figures/                 all runs side by side
#      <results>/benchmarks/training.md                                        what they cost: host facts, no record


rule train:
    """An arm practises with one seed, in one process or in several. A killed run goes on from its last state."""
    input:
        plan="<results>/plan.json",
        tasks=f"<results>/tasks/{PRACTISED}.jsonl",
        splits=f"<results>/splits/{PRACTISED}.json",
        prompt=prompt_path,
        revision=practised_revision_path,
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
    threads: lambda wildcards: PROCESSES * getattr(policy_of(wildcards), "threads", 1)
    resources:
        mem_mb=PROCESSES * 6000,
        gpu=PROCESSES * GPUS,
    params:
        launch=LAUNCH,
        arm=arm_flags,
        policy=learner_flags,
        revision=lambda wildcards, input: flags(revision_prompt=input.revision),
        judge=JUDGE,
        folder=lambda wildcards, output: os.path.dirname(output.done),
        code=training_code,
    shell:
        "{params.launch}"
        "codeself train --plan {input.plan:q} --tasks {input.tasks:q} --splits {input.splits:q}"
        " {params.arm} {params.policy} {params.revision} {params.judge} --workers {threads} --output {params.folder:q}"
        " --timings {output.timings:q} 2> {log:q}"


rule compare_training:
    """How the arms practised, PPO beside GRPO. It describes; what practice changed is in the evidence report."""
    input:
        plan="<results>/plan.json",
        training=expand("<results>/training/{trained}/done.json", trained=TRAINED),
        metrics=expand("<results>/training/{trained}/metrics.jsonl", trained=TRAINED),
        timings=expand("<results>/benchmarks/train/{trained}.steps.jsonl", trained=TRAINED),
        templates=templates(
            "baseline.md.j2",
            "baseline.html.j2",
            "training_methods.txt",
            "training_costs_methods.txt",
            "style.css",
        ),
    output:
        markdown="<results>/reports/training.md",
        html=report(
            "<results>/reports/training.html",
            caption="../report/training.rst",
            category="Reports",
        ),
        figures=directory("<results>/reports/training_figures"),
        costs="<results>/benchmarks/training.md",
    log:
        "<results>/logs/compare_training.log",
    benchmark:
        "<results>/benchmarks/compare_training.tsv"
    resources:
        mem_mb=2000,
    params:
        files=lambda wildcards, input: flags(
            training=list(input.training),
            metrics=list(input.metrics),
            timings=list(input.timings),
        ),
        title=CONFIG.title,
        code=code_digest("compare-training"),
    shell:
        "codeself compare-training --plan {input.plan:q} {params.files} --title {params.title:q}"
        " --output-md {output.markdown:q} --output-html {output.html:q} --figures {output.figures:q}"
        " --output-costs {output.costs:q} 2> {log:q}"
