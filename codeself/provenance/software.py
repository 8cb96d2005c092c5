"""The software of a run for other people's tools: a CycloneDX bill of materials, and CodeMeta."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from codeself.records.manifest import Manifest

_PACKAGE = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(?: --hash=sha256:([0-9a-f]{64}))?", re.MULTILINE)


def bill_of_materials(manifest: Manifest, locks: Mapping[str, str]) -> str:
    """CycloneDX 1.6 from the lock files' text by name: the packages, with their pinned digests."""
    components: dict[str, dict[str, Any]] = {}
    for text in locks.values():
        for name, version, sha256 in _PACKAGE.findall(text):
            package = f"pkg:pypi/{name}@{version}"
            part: dict[str, Any] = {
                "type": "library",
                "bom-ref": package,
                "name": name,
                "version": version,
                "purl": package,
            }
            if sha256:
                part["hashes"] = [{"alg": "SHA-256", "content": sha256}]
            components[package] = part
    ordered = [components[package] for package in sorted(components)]
    own = {"type": "application", "bom-ref": "codeself", "name": "codeself", "version": manifest.code.version}
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"urn:codeself:{json.dumps(ordered, sort_keys=True)}")
    return json.dumps(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "serialNumber": f"urn:uuid:{serial}",
            "version": 1,
            "metadata": {"component": own},
            "components": ordered,
            "dependencies": [{"ref": "codeself", "dependsOn": sorted(components)}],
        },
        indent=1,
    )


def codemeta(manifest: Manifest, citation: Mapping[str, Any]) -> str:
    """CodeMeta 3.0 from CITATION.cff."""
    found = {
        "@context": "https://w3id.org/codemeta/3.0",
        "@type": "SoftwareSourceCode",
        "name": citation.get("title", "codeself"),
        "description": citation.get("abstract", "").strip(),
        "version": manifest.code.version,
        "license": f"https://spdx.org/licenses/{citation.get('license', 'MIT')}",
        "keywords": citation.get("keywords", []),
        "programmingLanguage": "Python",
        "runtimePlatform": f"{manifest.environment.implementation} {manifest.environment.python}",
        "author": [
            {"@type": "Organization", "name": author["name"]}
            if "name" in author
            else {
                "@type": "Person",
                "givenName": author.get("given-names", ""),
                "familyName": author.get("family-names", ""),
            }
            for author in citation.get("authors", [])
        ],
    }
    if manifest.code.commit:
        found["identifier"] = f"swh:1:rev:{manifest.code.commit}"
    return json.dumps(found, indent=1)
