import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

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


def test_the_card_says_where_the_weights_came_from(
    colour_bundle: Callable[..., Path], tmp_path: Path
) -> None:
    bundle = Bundle.load(colour_bundle(tmp_path / "bundle"))
    provenance = bundle.manifest.provenance.model_copy(update={"weights": "started from <weights>"})
    changed = bundle.manifest.model_copy(update={"provenance": provenance})
    card = model_card(example_metrics(), Bundle(bundle.path, changed))
    assert "- started from &lt;weights&gt;" in card
    assert "started from" not in model_card(example_metrics(), bundle)  # an older bundle does not say


def test_evaluating_imports_neither_torch_nor_timm() -> None:
    program = "import sys, phytoflow.evaluation.evaluate; print({'torch', 'timm'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
