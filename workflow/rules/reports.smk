# Reports, and the index of all of them.
#
# in   metrics, splits and audits of every evaluation; codeself/reports/templates
# out  <results>/reports/baseline.md, .html, baseline_figures/    what the base policy can do
#      <results>/reports/all, index.html                          every report with its digest


rule baseline_report:
    """What the base policy can do, as a page for people."""
    input:
        metrics=evaluated("<results>/metrics/base/{taskset}.{split}.json"),
        per_task=evaluated("<results>/metrics/base/{taskset}.{split}.tasks.csv"),
        splits=evaluated_tasksets("<results>/splits/{taskset}.json"),
        locked_reads=[
            f"<results>/locked_reads/base/{each.taskset}.test.json"
            for each in CONFIG.evaluations
            if each.split == "test"
        ],
        # Wrong variants, which an audit needs, come with the formats that are written by hand.
        audits=evaluated_tasksets("<results>/tasks/{taskset}.audit.json", OWN_FORMATS),
        templates=templates("baseline.md.j2", "baseline.html.j2", "methods.txt", "style.css"),
    output:
        markdown="<results>/reports/baseline.md",
        html=report(
            "<results>/reports/baseline.html",
            caption="../report/baseline.rst",
            category="Reports",
        ),
        figures=directory("<results>/reports/baseline_figures"),
    log:
        "<results>/logs/baseline_report.log",
    benchmark:
        "<results>/benchmarks/baseline_report.tsv"
    resources:
        mem_mb=2000,
    params:
        files=lambda wildcards, input: flags(
            metrics=list(input.metrics),
            per_task=list(input.per_task),
            splits=list(input.splits),
            audit=list(input.audits),
            locked_reads=list(input.locked_reads),
        ),
        title=CONFIG.title,
        code=code_digest("make-report"),
    shell:
        "codeself make-report {params.files} --title {params.title:q} --output-md {output.markdown:q}"
        " --output-html {output.html:q} --figures {output.figures:q} 2> {log:q}"


rule index_reports:
    """The list of all reports with their digests: what a reader opens first."""
    input:
        reports=["<results>/reports/baseline.md", "<results>/reports/baseline.html", *EVIDENCE],
        templates=templates("index.html.j2", "style.css"),
    output:
        index="<results>/reports/all",
        page="<results>/reports/index.html",
    log:
        "<results>/logs/index_reports.log",
    benchmark:
        "<results>/benchmarks/index_reports.tsv"
    resources:
        mem_mb=500,
    params:
        code=code_digest("index-reports"),
    shell:
        "codeself index-reports {input.reports:q} --output {output.index:q} 2> {log:q}"
