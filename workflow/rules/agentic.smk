# Agents: attempts with several answers, self-debug beside resampling under one budget.
#
# in   config agentic, sampling, judge; resources/prompts; the base's weights or a trained policy's
# out  <results>/agentic/{policy}/{taskset}.{split}.{strategy}.{shard}.jsonl    a trace an attempt
#      <results>/agentic/strategies.json                                       what they came to, in numbers
#      <results>/reports/agentic.md, .html, agentic_figures/                   the same for people
#      <results>/reports/traces.html                                           every attempt, to step through


rule run_agentic:
    """One strategy's attempts at a shard of the tasks: answer, run public tests, answer again, submit."""
    input:
        tasks="<results>/tasks/{taskset}.jsonl",
        splits="<results>/splits/{taskset}.json",
        prompt=prompt_path,
        revision=revision_path,
        answers=answers_path,
        model=model_path,
    output:
        traces="<results>/agentic/{policy}/{taskset}.{split}.{strategy}.{shard}.jsonl",
    log:
        "<results>/logs/run_agentic/{policy}/{taskset}.{split}.{strategy}.{shard}.log",
    benchmark:
        "<results>/benchmarks/run_agentic/{policy}/{taskset}.{split}.{strategy}.{shard}.tsv"
    wildcard_constraints:
        strategy="|".join(STRATEGIES),
    threads: lambda wildcards: getattr(policy_of(wildcards), "threads", 1)
    resources:
        mem_mb=4000,
        gpu=GPUS,
    params:
        agent=agent_flags,
        judge=JUDGE,
        shards=CONFIG.shards.rollouts,
        code=agent_code,
    shell:
        "codeself run-agentic --tasks {input.tasks:q} --splits {input.splits:q} --split {wildcards.split}"
        " --policy {wildcards.policy} --strategy {wildcards.strategy} --revision-prompt {input.revision:q}"
        " {params.agent} {params.judge} --workers {threads}"
        " --shard {wildcards.shard} --shards {params.shards} --output {output.traces:q} 2> {log:q}"


rule agentic_report:
    """Both strategies at equal budget, and what revisions did."""
    input:
        traces=trace_paths(),
        templates=templates("baseline.md.j2", "baseline.html.j2", "strategy_methods.txt", "style.css"),
    output:
        numbers="<results>/agentic/strategies.json",
        markdown="<results>/reports/agentic.md",
        html=report(
            "<results>/reports/agentic.html",
            caption="../report/agentic.rst",
            category="Reports",
        ),
        figures=directory("<results>/reports/agentic_figures"),
    log:
        "<results>/logs/agentic_report.log",
    benchmark:
        "<results>/benchmarks/agentic_report.tsv"
    resources:
        mem_mb=2000,
    params:
        traces=lambda wildcards, input: flags(traces=list(input.traces)),
        about=flags(taskset=ATTEMPTED, split=AGENTIC.split, title=CONFIG.title),
        estimates=flags(
            confidence=CONFIG.metrics.confidence,
            resamples=CONFIG.metrics.resamples,
            seed=CONFIG.seed,
        ),
        code=code_digest("report-agentic"),
    shell:
        "codeself report-agentic {params.traces} {params.about} {params.estimates} --output {output.numbers:q}"
        " --output-md {output.markdown:q} --output-html {output.html:q} --figures {output.figures:q} 2> {log:q}"


rule trace_page:
    """Every attempt on one page: filtered by outcome, read answer by answer."""
    input:
        traces=trace_paths(),
        templates=templates("traces.html.j2", "style.css"),
    output:
        page=report(
            "<results>/reports/traces.html",
            caption="../report/traces.rst",
            category="Reports",
        ),
    log:
        "<results>/logs/trace_page.log",
    benchmark:
        "<results>/benchmarks/trace_page.tsv"
    resources:
        mem_mb=1000,
    params:
        traces=lambda wildcards, input: flags(traces=list(input.traces)),
        title=CONFIG.title + ": every attempt",
        code=code_digest("view-agent-trace"),
    shell:
        "codeself view-agent-trace {params.traces} --title {params.title:q} --output-html {output.page:q} 2> {log:q}"
