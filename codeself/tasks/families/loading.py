"""The declared task distribution: families read from a folder, and the tasks drawn from them.

The same definitions, number of variants and seed give the same tasks, byte for byte; a family's tasks do not
depend on the other families. Making them runs the programs in the definitions in this process: see
codeself.tasks.families.definitions.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import yaml

from codeself.records.errors import InputError
from codeself.records.files import read_text
from codeself.records.tasks import Task
from codeself.tasks.families.building import build_task
from codeself.tasks.families.definitions import Family, kind_of, read_family
from codeself.tasks.families.variants import draw_variants


def family_tasks(families: Sequence[Family], variants: int, seed: int, examples: int = 1) -> list[Task]:
    """The canonical tasks of families, `variants` of each: families/<family>/<n>, n from 0. examples: shown by each."""
    return [
        build_task(variant, number, examples)
        for family in families
        for number, variant in enumerate(draw_variants(family, variants, seed))
    ]


def load_families(folder: Path) -> list[Family]:
    """The families of every .yaml file in a folder, by file name and then in the order written.

    Raises InputError naming file, family and key for anything malformed.
    """
    files = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
    if not files:
        raise InputError(
            f"{folder}: holds no .yaml file, expected a folder with definitions of task families"
        )
    families: list[Family] = []
    origins: dict[str, str] = {}
    for file in files:
        for family in _read_file(file):
            if family.name in origins:
                raise InputError(
                    f"{file}, family '{family.name}': is also in {origins[family.name]}; names must be unique"
                )
            origins[family.name] = str(file)
            families.append(family)
    return families


def _read_file(file: Path) -> list[Family]:
    text = read_text(file)
    try:
        data = yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{file}, line {line}: is not YAML that can be read: {error.problem}") from None
    except yaml.YAMLError as error:
        raise InputError(f"{file}: is not YAML that can be read: {error}") from None
    if not isinstance(data, dict) or not data:
        raise InputError(f"{file}: holds {kind_of(data)}, expected families by name")
    return [read_family(file, name, fields) for name, fields in data.items()]


class _Loader(yaml.SafeLoader):
    """Plain YAML, in which a key that stands twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"'{key}' stands twice in one mapping", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)
