"""The page of all attempts: one file, safe with whatever a policy wrote, and it works in a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest

from codeself.records.rollouts import PolicyIdentity
from codeself.records.traces import Budget, PublicResult, Step, Trace
from codeself.records.verdicts import Candidate, PhaseResult, Verdict
from codeself.reports.highlighting import highlighted_diff
from codeself.reports.page_data import opened
from codeself.reports.trace_page import OUTCOMES, outcome_of, render_traces
from codeself.reports.trace_text import render_trace

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
HOSTILE = "def f(x):\n    return '</script><script>document.title = \"taken\"</script><img src=x onerror=alert(1)>'\n"
PASSED = PhaseResult(status="passed")


def step(program: str, said: str, passed: bool, right: bool, change: str = "substantive") -> Step:
    return Step(
        prompt="# asked\ndef f(x):",
        prompt_name="t",
        prompt_digest="d",
        prompt_sha256="s",
        prompt_tokens=7,
        seed=1,
        completion=program,
        completion_tokens=5,
        finish_reason="stop",
        candidate=Candidate(status="parsed", program=program),
        change=change,  # type: ignore[arg-type]
        diff="" if change == "first" else "-old\n+new",
        executed=True,
        public=PublicResult(
            phase="public",
            status="passed" if passed else "failed",
            passed=int(passed),
            total=1,
            test=int(not passed),
            shown="" if passed else "assert f(1) == 2",
            said=said,
        ),
        decision="submit" if passed else "revise",
        correct=right,
    )


def trace(name: str, steps: list[Step], strategy: str = "self-debug") -> Trace:
    last = steps[-1]
    passed = last.public.status == "passed"
    return Trace(
        trace_id=f"p/{name}/{strategy}-0",
        task_id=name,
        family=name,
        policy="p",
        identity=PolicyIdentity(backend="mock", source="m", digest="0"),
        strategy=strategy,  # type: ignore[arg-type]
        attempt=0,
        temperature=0.8,
        top_p=1.0,
        max_new_tokens=64,
        budget=Budget(revisions=3, tokens=256, executions=4),
        rule="first-public",
        steps=tuple(steps),
        ended="passed" if passed else "revisions",
        submitted=len(steps) - 1,
        prompt_tokens=7 * len(steps),
        tokens=5 * len(steps),
        executions=len(steps),
        verdict=Verdict(
            task_id=name,
            candidate=last.candidate,
            isolation="strict",
            phases={"public": PASSED},
            decided_by="hidden",
            status="passed" if last.correct else "failed",
            correct=last.correct,
        ),
    )


@pytest.fixture
def traces() -> list[Trace]:
    wrong = step("def f(x):\n    return x\n", "f(1) returned 1, expected 2", False, False, "first")
    hostile = step(HOSTILE, HOSTILE, False, False)
    return [
        trace("t/repaired", [wrong, hostile, step("def f(x):\n    return x + 1\n", "", True, True)]),
        trace("t/fooled", [step("def f(x):\n    return 2\n", "", True, False, "first")]),
        trace("t/never", [wrong, hostile], "resample"),
    ]


def test_outcomes_are_told_apart(traces: list[Trace]) -> None:
    assert [outcome_of(each) for each in traces] == list(OUTCOMES)


def test_the_page_is_one_file_that_loads_nothing(traces: list[Trace]) -> None:
    page = render_traces("Made", traces)
    assert len(re.findall("<script", page)) == 2  # its data and its own
    outside = page.replace("src=x", "")
    assert (
        re.findall(r"""\b(?:src|href)\s*=\s*["']?\w|@import|url\(|fetch\(|import\(|https?://""", outside)
        == []
    )


def test_the_same_traces_give_the_same_page(traces: list[Trace]) -> None:
    assert render_traces("Made", traces) == render_traces("Made", traces)


def test_a_difference_is_marked_and_escaped() -> None:
    made = highlighted_diff("def f(x):\n    return x", "def f(x):\n    return '<b>'")
    assert re.findall('<span class="(same|cut|new)"', made) == ["same", "cut", "new"]
    assert "<b>" not in made
    assert "&lt;b&gt;" in made


def test_markdown_shows_every_answer_and_cannot_be_broken_out_of(traces: list[Trace]) -> None:
    text = render_trace(traces[0])
    assert text.count("\n## Answer ") == 3
    assert "Failing: `assert f(1) == 2`. What happened: `f(1) returned 1, expected 2`." in text
    fenced = (
        traces[1]
        .steps[0]
        .model_copy(update={"candidate": Candidate(status="parsed", program="x = '''\n```\n# out\n'''\n")})
    )
    assert "````python\n" in render_trace(traces[1].model_copy(update={"steps": (fenced,)}))


def in_browser(folder: Path, page: str, *flags: str) -> str:
    if CHROMIUM is None:
        pytest.skip("no chromium is installed")
    (folder / "page.html").write_text(page)
    ran = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            f"--user-data-dir={folder / 'profile'}", "--window-size=1400,900", "--virtual-time-budget=3000",
            *flags, (folder / "page.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


# What a reader would do, and what they would then see, written into the title.
READING = """<script>
ready.then(() => {
const seen = [];
const look = () => seen.push([at("shown").textContent, at("name").textContent, place + 1,
  document.querySelectorAll("#diff .new").length, document.querySelectorAll("#diff .cut").length,
  at("result").textContent.includes("f(1) returned 1")].join("|"));
look();
at("on").click(); look();
document.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" })); look();
form.elements.outcome.value = data.outcomes[2]; form.dispatchEvent(new Event("input")); look();
form.elements.outcome.value = ""; form.elements.revised.value = "repaired";
form.dispatchEvent(new Event("input")); look();
form.elements.task.value = "nothing such"; form.dispatchEvent(new Event("input"));
seen.push(at("trace").hidden, document.querySelectorAll("img").length);
document.title += " " + seen.join(" ; ");
});
</script></body>"""


def test_a_reader_steps_through_and_filters(traces: list[Trace], tmp_path: Path) -> None:
    page = render_traces("Made", traces).replace("</body>", READING)
    shown = in_browser(tmp_path, page, "--dump-dom")
    found = re.search(r"<title>(.*?)</title>", shown)
    assert found is not None
    assert unescape(found[1]).removeprefix("Made ").split(" ; ") == [
        "3 of 3|t/repaired|1|0|0|true",
        "3 of 3|t/repaired|2|1|1|false",
        "3 of 3|t/repaired|3|1|1|false",
        "1 of 3|t/never|1|0|0|true",
        "1 of 3|t/repaired|1|0|0|true",
        "true",
        "0",
    ]


def test_a_browser_that_cannot_open_the_data_says_so(traces: list[Trace], tmp_path: Path) -> None:
    page = render_traces("Made", traces)
    old = page.replace("<body>", "<body><script>delete window.DecompressionStream</script>")
    shown = in_browser(tmp_path, old, "--dump-dom")
    assert re.search('<p id="trouble"[^>]*role="alert">[^<]*has no DecompressionStream[^<]*Firefox', shown)
    broken = re.sub(r'(id="data">.{60}).{4}', r"\1AAAA", page)
    assert broken != page
    assert re.search(
        '<p id="trouble"[^>]*role="alert">[^<]*could not be shown', in_browser(tmp_path, broken, "--dump-dom")
    )


def test_the_data_is_compressed_and_nothing_is_lost(traces: list[Trace]) -> None:
    page = render_traces("Made", traces * 40).encode()
    plain = opened(page)
    assert len(page) < len(plain) / 2
    assert len(plain.split(b"\n")) == len(page.split(b"\n"))
    found = re.search(rb'<script type="application/json" id="data">(.*)</script>', plain)
    assert found is not None
    data = json.loads(found[1])
    assert len(data["traces"]) == 120
    assert HOSTILE in data["texts"]
    assert b"alert(1)" not in page
    assert opened(plain) == plain


def test_data_that_cannot_be_opened_is_left_as_it_is(
    traces: list[Trace], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = render_traces("Made", traces).encode()
    for broken in (
        re.sub(rb'(id="data">.{60}).{4}', rb"\1AAAA", page),
        re.sub(rb'(id="data">.{60})[^<]*', rb"\1", page),
    ):
        assert opened(broken) == broken != page
    monkeypatch.setattr("codeself.reports.page_data._MOST_BYTES", 100)
    assert opened(page) == page


def test_a_screenshot_shows_the_list_the_difference_and_the_result(
    traces: list[Trace], tmp_path: Path
) -> None:
    page = render_traces("Made", traces).replace(
        "</body>", "<script>ready.then(() => at('on').click())</script></body>"
    )
    in_browser(tmp_path, page, f"--screenshot={tmp_path / 'page.png'}")
    import matplotlib.image as images

    pixels = images.imread(tmp_path / "page.png")[:, :, :3]
    height, width, _ = pixels.shape
    assert (width, height) == (1400, 900)
    ink = (abs(pixels - pixels[-1, -1]).sum(axis=2) > 0.3).astype(float)
    columns = {"list": (0.01, 0.26), "difference": (0.3, 0.66), "result": (0.72, 0.98)}
    for name, (left, right) in columns.items():
        part = ink[int(0.3 * height) : int(0.65 * height), int(left * width) : int(right * width)]
        assert part.mean() > 0.003, f"nothing is drawn where the {name} should be"
