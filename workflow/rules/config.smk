# What the config means for each stage: the paths it takes and the flags of its command. Stages are in the order
# in which data flows.
import json
import os
import shlex
import sys
from pathlib import Path

from codeself.provenance.code_digest import code_digest
from codeself.records.config import parse_config
from codeself.records.errors import CodeselfError
from codeself.records.practice import REVISING
from codeself.rewards import reward_file_digest

try:
    CONFIG = parse_config(config, ", ".join(map(str, workflow.configfiles)))
    # What pays: an edit of a reward of one's own makes stale what was planned, learned and counted with it.
    REWARD_FILE = reward_file_digest(CONFIG.reward)
except CodeselfError as error:
    sys.exit(f"codeself: {error}")

# Jobs run the codeself that stands beside this Snakemake, also when its environment is not activated.
os.environ.update(PATH=os.pathsep.join([os.path.dirname(sys.executable), *os.get_exec_path()]))

DATASET_KINDS = ("jsonl.gz", "jsonl", "json.gz", "json")
# These formats are written for this project or by its user; the others are public files, taken as they are.
OWN_FORMATS = {"families", "canonical"}


def flags(**values):
    """Command line flags for options whose values come from the config; a list repeats its flag."""
    words = []
    for name, value in values.items():
        flag = "--" + name.replace("_", "-")
        for item in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(item, bool):
                words.append(flag if item else flag.replace("--", "--no-", 1))
            elif item not in (None, ""):
                words += [flag, str(item)]
    return shlex.join(words)


# Tasks


def dataset_of(wildcards):
    return getattr(CONFIG.tasksets[wildcards.taskset], wildcards.role)


def dataset_flags(wildcards):
    """Where a public file is, and its digest."""
    source = dataset_of(wildcards)
    place = {"path": source.path} if source.path else {"url": source.url}
    return flags(**place, sha256=source.sha256, content_sha256=source.content_sha256)


def dataset_path(role):
    """Where a task set's public file is put, or nothing when it has none. role: tasks or plus."""

    def path(wildcards):
        source = getattr(CONFIG.tasksets[wildcards.taskset], role)
        if source is None:
            return []
        kind = next((kind for kind in DATASET_KINDS if (source.path or source.url).endswith(kind)), "jsonl")
        return f"<results>/datasets/{wildcards.taskset}.{role}.{kind}"

    return path


def definitions(wildcards):
    """The files that define a task set of the format families."""
    taskset = CONFIG.tasksets[wildcards.taskset]
    return sorted(map(str, Path(taskset.definitions).rglob("*.yaml"))) if taskset.format == "families" else []


def taskset_flags(wildcards):
    taskset = CONFIG.tasksets[wildcards.taskset]
    own = {}
    if taskset.format == "families":
        own = {"definitions": taskset.definitions, "variants": taskset.variants, "seed": taskset.seed}
        own |= {"examples": taskset.examples} if taskset.examples > 1 else {}
    changed = {name: True for name in ("renamed", "permuted") if getattr(taskset, name)}
    return flags(name=wildcards.taskset, format=taskset.format, **own, **changed)


def preparing_code(wildcards):
    """Digest of what makes this format's tasks: an edit of the judge leaves the project's own families as they are."""
    if CONFIG.tasksets[wildcards.taskset].format == "families":
        unused = ["sandbox.pool", "sandbox.expectations", "tasks.similarity"]
        unused += [f"tasks.formats.{name}" for name in ("canonical", "evalplus", "humaneval", "mbpp")]
    else:
        unused = ["tasks.families.loading"]
    for change, module in (("renamed", "tasks.renaming"), ("permuted", "tasks.permuting")):
        unused += [] if getattr(CONFIG.tasksets[wildcards.taskset], change) else [module]
    return code_digest("prepare-datasets", without=[f"codeself.{name}" for name in unused])


def leak_flags(wildcards):
    """What a public file gives away is reported, not refused."""
    return "" if CONFIG.tasksets[wildcards.taskset].format in OWN_FORMATS else "--allow-origin-leaks"


def split_flags(wildcards):
    splits = CONFIG.tasksets[wildcards.taskset].splits
    return flags(taskset=wildcards.taskset, method=splits.method, seed=splits.seed, **splits.fractions)


# Rollouts

BACKENDS = ("mock", "static", "transformers", "vllm")
WITH_WEIGHTS = ("transformers", "vllm")
BACKEND = CONFIG.policies[CONFIG.base].backend
# Of a job that runs the model: profiles/gpu says how many there are, a cluster is asked for as many.
GPUS = int(getattr(CONFIG.policies[CONFIG.base], "device", "cpu") == "cuda")


def policy_of(wildcards):
    """How a policy is run: a trained one as the base is, with its own weights."""
    return CONFIG.policies[CONFIG.base]


def is_trained(wildcards):
    return getattr(wildcards, "policy", "base") != "base"


def done_path(wildcards):
    """The record of a trained policy's training, or nothing for the base."""
    return "<results>/training/{policy}/done.json" if is_trained(wildcards) else []


def model_flags(wildcards):
    return flags(**CONFIG.policies[wildcards.model].model.model_dump())


def model_path(wildcards):
    """The model that a policy needs, or nothing for a policy without weights."""
    if is_trained(wildcards):
        return "<results>/training/{policy}/policy/model.json"
    return f"<results>/models/{CONFIG.base}/model.json" if BACKEND in WITH_WEIGHTS else []


def prompt_path(wildcards):
    prompt = policy_of(wildcards).prompt
    return prompt if prompt.endswith(".j2") else f"resources/prompts/{prompt}.j2"


def answers_path(wildcards):
    """The file that a static policy answers from, or nothing."""
    answers = getattr(policy_of(wildcards), "answers", "reference")
    return [] if answers == "reference" else answers


def sampling_code(wildcards):
    """Digest of what samples from this policy: an edit of another backend leaves its completions as they are."""
    unused = [f"codeself.policies.{backend}" for backend in BACKENDS if backend != BACKEND]
    return code_digest("run-rollouts", without=[*unused, "codeself.provenance.code_digest"])


def policy_flags(wildcards, input):
    policy = policy_of(wildcards).model_dump(exclude={"model"})
    return flags(**policy, model=os.path.dirname(input.model) if input.model else None)


# Training

LEARNER = "transformers" if BACKEND in WITH_WEIGHTS else BACKEND
# Of one run. Their launcher needs a free port, and no settings that a user's own file may hold for other work.
PROCESSES = CONFIG.practice.processes
LAUNCH = ""
if PROCESSES > 1:
    LAUNCH = (
        f"accelerate launch --multi_gpu --gpu_ids all --num_processes {PROCESSES} --num_machines 1"
        " --main_process_port 0 --mixed_precision no --dynamo_backend no --no_python "
    )


def arm_flags(wildcards):
    arm, _, number = wildcards.trained.rpartition("-seed")
    return flags(arm=arm, seed=number)


def revises(wildcards):
    """Whether this run practises several answers to a task."""
    return wildcards.trained.startswith(f"{REVISING}-seed")


def practised_revision_path(wildcards):
    """The template of later answers, or nothing for an arm that has none."""
    return revision_path(wildcards) if revises(wildcards) else []


def learner_flags(wildcards, input):
    """A policy that vLLM runs is loaded into transformers to learn, and samples there while it does."""
    policy = policy_of(wildcards).model_dump(exclude={"model", "gpu_memory"}) | {"backend": LEARNER}
    return flags(**policy, model=os.path.dirname(input.model) if input.model else None)


def training_code(wildcards):
    """Digest of what trains: a mock policy learns without the code of language models, and the other way round."""
    learners = {"mock": "learning.mock_learner", "transformers": "learning.language_model"}
    unused = [module for name, module in learners.items() if name != LEARNER]
    unused += [f"policies.{name}" for name in BACKENDS if name != LEARNER]
    unused += [] if PRACTICE.trainer == "trl" else ["learning.trl_trainer"]
    unused += [] if PROCESSES > 1 else ["learning.shared_learner", "learning.ranks"]
    if not revises(wildcards):
        unused += ["agents.feedback", "agents.public_run", "agents.revising"]
    return code_digest("train", without=[f"codeself.{name}" for name in (*unused, "provenance.code_digest")])


# Evaluation


# Names of readings of locked tests beyond the one that each policy has.
FURTHER = flags(further=CONFIG.locked_reads)
JUDGE = flags(isolation=CONFIG.judge.isolation, scan=CONFIG.judge.scan, **CONFIG.judge.limits.model_dump())


# Evidence

PRACTICE = CONFIG.practice
ARMS = list(PRACTICE.arms)
# The task set of the declared tests.
PLANNED = CONFIG.plan.taskset or CONFIG.evaluations[0].taskset
DECLARED = CONFIG.plan.model_dump(exclude={"taskset", "greedy", "controls"})


def practice_json():
    """The whole of what practice is told, for the plan to keep and digest."""
    return json.dumps(PRACTICE.model_dump(mode="json"), sort_keys=True)


PRACTISED = PRACTICE.taskset or PLANNED
TRAINED = [f"{arm}-seed{number}" for arm in ARMS for number in PRACTICE.training_seeds]
COMPARED = ["base", *TRAINED]
# Other final evaluations: does a gain show on renamed tasks, other constants, other task sets?
ELSEWHERE = [e.taskset for e in CONFIG.evaluations if e.split == "test" and e.taskset != PLANNED]
EVIDENCE_PAGES = ("plan.md", "evidence.md", "evidence.html", "training.md", "training.html")
EVIDENCE = [f"<results>/reports/{name}" for name in EVIDENCE_PAGES] if ARMS else []


# Agents

AGENTIC = CONFIG.agentic
ATTEMPTED = AGENTIC.taskset or PLANNED
STRATEGIES = ("self-debug", "resample")
AGENTIC_PAGES = ("agentic.md", "agentic.html", "traces.html") if AGENTIC.policies else ()
EVIDENCE += [f"<results>/reports/{name}" for name in AGENTIC_PAGES]


def revision_path(wildcards):
    """The template of a revision: that of the config, or the one that goes with the base's own."""
    prompt = AGENTIC.prompt or f"revise_{policy_of(wildcards).prompt}"
    return prompt if prompt.endswith(".j2") else f"resources/prompts/{prompt}.j2"


def agent_flags(wildcards, input):
    """How the policy is run, and what an attempt may use."""
    own = AGENTIC.model_dump(exclude={"policies", "taskset", "split", "prompt"})
    sampling = CONFIG.sampling.model_dump(exclude={"greedy", "samples"})
    own["tokens"] = AGENTIC.tokens or 4 * CONFIG.sampling.max_new_tokens
    return f"{policy_flags(wildcards, input)} {flags(**own, **sampling, seed=CONFIG.seed)}"


def agent_code(wildcards):
    """Digest of what attempts with this policy: another backend's code has no part in it."""
    unused = [f"codeself.policies.{backend}" for backend in BACKENDS if backend != BACKEND]
    return code_digest("run-agentic", without=[*unused, "codeself.provenance.code_digest"])


def trace_paths(pattern="<results>/agentic/{policy}/{taskset}.{split}.{strategy}.{shard}.jsonl"):
    return expand(
        pattern,
        policy=AGENTIC.policies,
        taskset=ATTEMPTED,
        split=AGENTIC.split,
        strategy=STRATEGIES,
        shard=range(CONFIG.shards.rollouts),
    )


# Reports


def evaluated(pattern):
    """A path for each evaluation of the config, in its order."""
    return [pattern.format(taskset=each.taskset, split=each.split) for each in CONFIG.evaluations]


def evaluated_tasksets(pattern, formats=None):
    """A path for each task set that is evaluated, in the order of the evaluations. formats: only these."""
    names = dict.fromkeys(each.taskset for each in CONFIG.evaluations)
    return [
        pattern.format(taskset=name)
        for name in names
        if formats is None or CONFIG.tasksets[name].format in formats
    ]


def templates(*names):
    return [f"codeself/reports/templates/{name}" for name in names]
