"""Translation of manifests of earlier schemas to the current keys."""

from __future__ import annotations

from typing import Any

OLDEST, RENAMED = 1, 4  # the oldest schema that can be read, and the one that renamed the keys below
_SECTIONS = {"open_set": "ood"}
_KEYS = {"open_set": {"refused": "false_positive_rate"}, "int8": {"refused": "rejection_reason"}}


def upgrade_manifest(document: dict[str, Any]) -> dict[str, Any]:
    """Returns a manifest of schema 1, 2 or 3 under the keys of schema 4; any other one unchanged."""
    version = document.get("schema_version", RENAMED)
    if not isinstance(version, int) or not OLDEST <= version < RENAMED:
        return document
    upgraded = {
        _SECTIONS.get(section, section): _rename(content, _KEYS.get(section, {}))
        for section, content in document.items()
    }
    return upgraded | {"schema_version": RENAMED}


def _rename(content: Any, names: dict[str, str]) -> Any:
    if not isinstance(content, dict):
        return content
    return {names.get(key, key): value for key, value in content.items()}
