"""Presets: named sets of settings."""

from __future__ import annotations

PRESETS: dict[str, dict[str, dict[str, object]]] = {
    "default": {},
    "fast": {"training": {"views": 1, "augmentation": "none", "tail_blocks": 0}},
    "accurate": {"training": {"views": 8, "tail_epochs": 10, "tail_blocks": 12, "mixup": 0.2}},
    "low-memory": {"training": {"views": 2, "batch_size": 8, "tail_blocks": 3}},
    "production": {
        "training": {"tail_epochs": 8, "augmentation": "field"},
        "gate": {"min_accuracy": 0.90, "min_macro_f1": 0.90},
    },
}
