"""YAML, with PyYAML's quoting."""

from typing import Any

import yaml


def to_yaml(document: Any) -> str:
    """Serialise a document of plain types, its keys in their order."""
    return yaml.safe_dump(document, sort_keys=False, default_flow_style=False, allow_unicode=True, width=10_000)
