"""What was done so that the same run gives the same bytes: settings of the libraries that policies run in.

codeself.policies sets them; tests/provenance/test_determinism.py sees that this is what it sets.
"""

from __future__ import annotations

from collections.abc import Mapping

from codeself.records.manifest import Determinism
from codeself.records.rollouts import PolicyIdentity

FLAGS: dict[str, dict[str, str]] = {
    "transformers": {
        "torch.use_deterministic_algorithms": "True",
        "torch.utils.deterministic.fill_uninitialized_memory": "False",
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    },
    # Its batches change with what else is asked at a time, and with them last bits.
    "vllm": {},
    "mock": {},
    "static": {},
}


def determinism(policies: Mapping[str, PolicyIdentity]) -> Determinism:
    """policies: each evaluated policy as it wrote down how it ran: number format, device, threads, size of batches."""
    backends = sorted({identity.backend for identity in policies.values()})
    return Determinism(
        flags={backend: FLAGS.get(backend, {}) for backend in backends},
        policies={name: identity.source for name, identity in sorted(policies.items())},
        draws="one seed a completion, from the root seed and the names of policy, task and sample",
    )
