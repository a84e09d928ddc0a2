"""Presets: named sets of settings that differ from the defaults."""

from __future__ import annotations

PRESETS: dict[str, dict[str, dict[str, object]]] = {
    "default": {},
    # A first result: the head alone, on one view of each photo.
    "fast": {"training": {"cached_views": 1, "augmentation": "none", "finetune_blocks": 0}},
    # Several times slower than the default.
    "accurate": {"training": {"cached_views": 8, "finetune_epochs": 10, "finetune_blocks": 12, "mixup": 0.2}},
    # Smaller batches, and fewer blocks whose gradients are kept.
    "low-memory": {"training": {"cached_views": 2, "batch_size": 8, "finetune_blocks": 3}},
    # For photos from outdoors, with a stricter gate.
    "production": {
        "training": {"finetune_epochs": 8, "augmentation": "outdoor"},
        "gate": {"min_accuracy": 0.90, "min_macro_f1": 0.90},
    },
}
