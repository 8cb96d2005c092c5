"""A task set's description in Croissant 1.0, so that loaders of data sets can read its file."""

from __future__ import annotations

import json
from typing import Any

from codeself.provenance.crate import NO_DATE
from codeself.records.manifest import Artifact, Manifest

_CROISSANT = "http://mlcommons.org/croissant/"
_PLAIN = (
    "citeAs column extract field fileProperty fileObject fileSet format includes isLiveDataset jsonPath key md5"
    " parentField path recordSet references regex repeated replace samplingRate separator source subField transform"
).split()
_FIELDS = {
    "task_id": "Name of the task.",
    "family": "Tasks that are variants of one idea share it.",
    "prompt": "What is asked, in words.",
    "entry_point": "Name of the function that is tested.",
    "starter_code": "The beginning of the program that a policy continues.",
    "reference_solution": "A whole program that solves the task.",
}


def croissant(manifest: Manifest, taskset: str, file: Artifact, licenses: list[str]) -> str:
    """JSON-LD for one task set. file: its artifact, to be found beside this description in the record."""
    context: dict[str, Any] = {
        "@language": "en",
        "@vocab": "https://schema.org/",
        "cr": _CROISSANT,
        "dct": "http://purl.org/dc/terms/",
        "rai": f"{_CROISSANT}RAI/",
        "sc": "https://schema.org/",
        "conformsTo": "dct:conformsTo",
        "data": {"@id": "cr:data", "@type": "@json"},
        "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        "equivalentProperty": "cr:equivalentProperty",
        "examples": {"@id": "cr:examples", "@type": "@json"},
        **{name: f"cr:{name}" for name in _PLAIN},
    }
    settings = manifest.config["tasksets"][taskset]
    source = (settings.get("tasks") or {}).get("url") or "https://example.org/codeself/" + taskset
    count = file.rows.count if file.rows else 0
    return json.dumps(
        {
            "@context": context,
            "@type": "sc:Dataset",
            "name": taskset,
            "description": f"{count} Python tasks with public, hidden and locked tests, format {settings['format']}.",
            "conformsTo": f"{_CROISSANT}1.0",
            "license": licenses,
            "url": source,
            "version": "1.0.0",
            "datePublished": manifest.code.date or NO_DATE,
            "citeAs": "The codeself developers: codeself, version " + manifest.code.version,
            "distribution": [
                {
                    "@type": "cr:FileObject",
                    "@id": "tasks",
                    "name": "tasks",
                    "contentUrl": f"../{file.path}",
                    "encodingFormat": "application/jsonlines",
                    "contentSize": f"{file.bytes} B",
                    "sha256": file.sha256,
                }
            ],
            "recordSet": [
                {
                    "@type": "cr:RecordSet",
                    "@id": "task",
                    "name": "task",
                    "field": [_field(name, about) for name, about in _FIELDS.items()],
                }
            ],
        },
        indent=1,
    )


def _field(name: str, about: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"task/{name}",
        "name": name,
        "description": about,
        "dataType": "sc:Text",
        "source": {"fileObject": {"@id": "tasks"}, "extract": {"column": name}},
    }
