"""An in-toto statement over an archive: its digest, and the build that it came from, as SLSA provenance.

It is not signed: whoever publishes the archive signs it with a key of their own.
"""

from __future__ import annotations

import json
from pathlib import Path

from codeself.records.digests import sha256_file
from codeself.records.manifest import Manifest


def statement_over(archive: Path, manifest: Manifest) -> str:
    """JSON: an in-toto statement v1 with a SLSA provenance v1 predicate."""
    code = manifest.code
    materials = [{"uri": f"file:{each.path}", "digest": {"sha256": each.sha256}} for each in manifest.inputs]
    materials += [
        {"uri": data.url or f"file:{path}", "digest": {"sha256": data.sha256}}
        for path, data in manifest.datasets.items()
    ]
    materials += [
        {"uri": f"file:{path}", "name": model.name, "digest": {"sha256": model.weights_sha256}}
        for path, model in manifest.models.items()
    ]
    if code.commit:
        materials.append({"name": "codeself", "digest": {"gitCommit": code.commit}})
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": archive.name, "digest": {"sha256": sha256_file(archive)}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:codeself:snakemake",
                "externalParameters": {"config": manifest.config},
                "internalParameters": {
                    "package_sha256": code.package_sha256,
                    "changes_sha256": code.changes_sha256,
                    "python": manifest.environment.python,
                },
                "resolvedDependencies": materials,
            },
            "runDetails": {
                "builder": {"id": "urn:codeself", "version": {"codeself": code.version}},
                "metadata": {"invocationId": manifest.root},
            },
        },
    }
    return json.dumps(statement, indent=2) + "\n"
