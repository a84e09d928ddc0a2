"""The benchmark of rounding: its figures."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from benchmarks.training.rounding import largest_difference, row
from phytoflow.models.factory import preprocessing_for
from phytoflow.models.settings import ModelSettings


def test_a_row_compares_a_model_with_the_first(tmp_path: Path) -> None:
    models = []
    for name, weight, loss in (("first", 4.0, 0.25), ("second", 3.0, 0.5)):
        folder = tmp_path / name
        folder.mkdir()
        save_file({"a": np.array([1.0, weight], np.float32)}, folder / "model.safetensors")
        preprocessing = preprocessing_for(ModelSettings(image_size=64)).model_dump(mode="json")
        summary = {"validation": {"loss": loss, "macro_f1": 0.9}}
        description = {
            "schema_version": 2,
            "classes": ["rust"],
            "preprocessing": preprocessing,
            "summary": summary,
        }
        (folder / "model.json").write_text(json.dumps(description))
        models.append(folder)
    assert row("one", models[0], models[0]) == "| one | 0.250 | 0.900 | 0.0e+00 |"
    assert row("two", models[1], models[0]) == "| two | 0.500 | 0.900 | 2.5e-01 |"


def test_differences_are_relative_to_the_largest_weight_of_a_layer() -> None:
    ones, other = np.ones(2), np.array([1.0, 1.5])
    assert largest_difference({"a": ones * 10, "b": ones}, {"a": ones * 10, "b": other}) == 0.5 / 1.5
