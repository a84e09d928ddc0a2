from collections.abc import Callable
from pathlib import Path

import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.evaluation.report.model_card import model_card
from tests.support.metrics import example_metrics


def test_the_card_is_made_from_the_run(colour_bundle: Callable[..., Path], tmp_path: Path) -> None:
    bundle = Bundle.load(colour_bundle(tmp_path / "bundle", trained_on=["0" * 64, "1" * 64]))
    card = model_card(example_metrics(39, 40), bundle)
    assert card.startswith("# colours: Right on 39 of 40 test photos")
    for title in ("Model", "Intended use", "Out-of-scope uses", "Data", "Metrics", "Limitations"):
        assert f"\n## {title}\n" in card
    assert f"scaled to {bundle.manifest.preprocessing.size} pixels (bicubic)" in card
    assert "out of 3 classes: red, green, blue" in card
    assert "trained on 2 photos of data dddddddddddd" in card
    assert "accuracy 97.5% (" in card
    assert "10.0 ms per photo with onnx" in card


def test_markup_in_class_names_is_escaped(colour_bundle: Callable[..., Path], tmp_path: Path) -> None:
    bundle = Bundle.load(colour_bundle(tmp_path / "bundle"))
    odd = bundle.manifest.model_copy(update={"classes": ("<script>", "健康 🌿", "a")})
    card = model_card(example_metrics(), Bundle(bundle.path, odd))
    assert "<script>" not in card and "&lt;script&gt;, 健康 🌿, a" in card


@pytest.mark.parametrize(
    ("model", "line"),
    [
        ({"weights": "imagenet"}, "started from timm's weights resnet18.a1_in1k, licence apache-2.0"),
        ({"weights": "none"}, "trained from random weights"),
        ({"weights": "imagenet", "hub_url": "s3://mirror"}, "the weights s3://mirror; their licence is not"),
        (
            {"weights": "a.safetensors", "weights_sha256": "0" * 64},
            f"weights a.safetensors, SHA-256 {'0' * 64}",
        ),
        ({}, ""),
    ],
)
def test_the_card_says_where_the_weights_came_from(
    colour_bundle: Callable[..., Path], tmp_path: Path, model: dict[str, str], line: str
) -> None:
    bundle = Bundle.load(colour_bundle(tmp_path / "bundle"))
    provenance = bundle.manifest.provenance.model_copy(update={"settings": {"model": model}})
    changes = {"provenance": provenance, "backbone": "resnet18"}
    card = model_card(example_metrics(), Bundle(bundle.path, bundle.manifest.model_copy(update=changes)))
    assert line in card
    assert ("licence" in card) == (bool(model) and model["weights"] != "none")
