"""Heat maps: drawn on the photo's square, the same from a bundle and from its metadata's preprocessing."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from phytoflow.cli.photos.classifiers import open_source
from phytoflow.cli.photos.heat_map import write_heat_map
from phytoflow.errors import ConfigError, PhotoError
from tests.support.make_bundle import SIDE, pictures


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "leaf.jpg"
    path.write_bytes(pictures(1)[0].content)
    return path


def test_the_evidence_is_red(
    photo: Path, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = open_source("", str(bundle), "leaf")
    write_heat_map(photo, source, "", tmp_path / "heat.png")
    drawn = np.asarray(Image.open(tmp_path / "heat.png"), np.float32)
    assert drawn.shape == (3 * SIDE, 3 * SIDE, 3)
    plain = source.preprocessing.model_copy(update={"size": 3 * SIDE}).decode(photo.read_bytes())
    heat = np.asarray(Image.fromarray(source.explain(photo.read_bytes(), None).heat).resize((192, 192)))
    redder = (drawn[..., 0] - drawn[..., 1:].mean(-1)) - (
        plain[..., 0] - plain[..., 1:].mean(-1).astype(float)
    )
    assert redder[heat > 0.8].mean() > 40 + redder[heat < 0.1].mean()
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{photo}: ") and second.endswith(str(tmp_path / "heat.png"))


def test_another_class_may_be_explained(photo: Path, bundle: Path, tmp_path: Path) -> None:
    source = open_source("", str(bundle), "leaf")
    for label in ("rust", "healthy"):
        write_heat_map(photo, source, label, tmp_path / f"{label}.png")
    assert (tmp_path / "rust.png").read_bytes() != (tmp_path / "healthy.png").read_bytes()
    with pytest.raises(ConfigError, match="no class 'oak'"):
        write_heat_map(photo, source, "oak", tmp_path / "oak.png")
    assert not (tmp_path / "oak.png").exists()


def test_a_photo_that_cannot_be_used_is_named(bundle: Path, tmp_path: Path) -> None:
    source = open_source("", str(bundle), "leaf")
    with pytest.raises(PhotoError, match=r"gone\.jpg: No such file"):
        write_heat_map(tmp_path / "gone.jpg", source, "", tmp_path / "heat.png")
    (tmp_path / "text.jpg").write_text("no photo")
    with pytest.raises(PhotoError, match=r"text\.jpg: "):
        write_heat_map(tmp_path / "text.jpg", source, "", tmp_path / "heat.png")
