"""The pages of metrics.json and bundle.json: every key with its meaning, from the classes' docstrings."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from phytoflow.bundle.manifest import BundleManifest
from phytoflow.evaluation.results import Metrics
from scripts.generate_docs.markdown import NOTE, cell, table

_METRICS = """# metrics.json

The metrics of an evaluation. `phytoflow run` writes them to `OUTPUT/metrics.json` and into the bundle,
`phytoflow evaluate` to its output folder. MLflow and Kubeflow Pipelines carry the same numbers: the name is
`test.` and the path in this file, for instance `test.ood.false_positive_rate` (an interval has `.low` and
`.high`). Files of schema 1 are still read.
"""
_MANIFEST = """# bundle.json

The manifest of a [bundle](bundle.md). Manifests of earlier schemas are upgraded when they are read. Unknown
keys are refused, so that an older predictor does not misread a newer bundle.
"""
_ATTRIBUTE = re.compile(r"^ {4}(\w+(?:, \w+)*): (.*(?:\n {8}.*)*)", re.MULTILINE)


def metrics_json() -> str:
    """Every key of metrics.json."""
    return _page(_METRICS, Metrics)


def bundle_json() -> str:
    """Every key of bundle.json."""
    return _page(_MANIFEST, BundleManifest)


def _page(introduction: str, model: type[BaseModel]) -> str:
    return "\n".join([NOTE, introduction, *_tables("", model, set())])


def _tables(prefix: str, model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[str]:
    """A table for a model, then one for each model that its fields hold."""
    seen.add(model)
    meanings = _meanings(model)
    rows = [
        [f"`{key}`", cell(meanings.get(key) or field.description or "")]
        for key, field in model.model_fields.items()
    ]
    title = f"## {prefix}\n\n{_summary(model)}\n\n" if prefix else ""
    yield title + table(["key", "meaning"], rows)
    for key, field in model.model_fields.items():
        for inner in _models_in(field.annotation):
            if inner not in seen:
                yield from _tables(f"{prefix}.{key}".strip("."), inner, seen)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _meanings(model: type[BaseModel]) -> dict[str, str]:
    """The ``Attributes`` of a class and of those that it inherits from."""
    meanings: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        text = textwrap.dedent(" " * 4 + (kind.__doc__ or "")).partition("Attributes:\n")[2]
        meanings |= {
            name: meaning for names, meaning in _ATTRIBUTE.findall(text) for name in names.split(", ")
        }
    return meanings


def _summary(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").partition("\n")[0]
