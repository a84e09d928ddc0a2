import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import BundleError, TrackingError
from phytoflow.tracking.mlflow_client import open_store
from phytoflow.tracking.registry import champion, promote, register
from phytoflow.tracking.settings import TrackingSettings
from phytoflow.tracking.tracker import Tracker
from tests.support.services.mlflow_server import mlflow_server

WriteBundle = Callable[..., Path]


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("output")


def model(name: str) -> TrackingSettings:
    """Settings whose registered model no other test touches: the SQLite file is made once."""
    return TrackingSettings(registered_model=name)


def test_a_bundle_is_registered_once_and_becomes_challenger(
    output: Path, tmp_path: Path, write_bundle: WriteBundle
) -> None:
    one, two = write_bundle(tmp_path / "one"), write_bundle(tmp_path / "two", model=b"other weights")
    first = register(one, model("once"), output, tags={"macro_f1": "0.98"})
    second = register(two, model("once"), output)
    assert first != second
    assert register(one, model("once"), output) == first
    client = open_store(model("once"), output).client
    assert client.get_model_version_by_alias("once", "challenger").version == int(first)
    assert client.get_model_version("once", first).tags["macro_f1"] == "0.98"
    assert len(client.search_model_versions("name = 'once'")) == 2


def test_the_champion_is_the_promoted_bundle(output: Path, tmp_path: Path, write_bundle: WriteBundle) -> None:
    settings = model("promoted")
    assert champion(settings, output, tmp_path) is None
    bundle = write_bundle(tmp_path / "bundle")
    version = register(bundle, settings, output)
    assert champion(settings, output, tmp_path) is None
    promote(settings, output, version)
    found = champion(settings, output, tmp_path)
    assert found is not None
    assert found.version == version
    assert Bundle.load(found.path).manifest == Bundle.load(bundle).manifest
    assert (found.path / "model.onnx").read_bytes() == b"weights"


def test_a_servers_champion_is_downloaded(tmp_path: Path, write_bundle: WriteBundle) -> None:
    bundle = write_bundle(tmp_path / "bundle")
    with mlflow_server(tmp_path) as url:
        settings = TrackingSettings(uri=url, registered_model="served")
        version = register(bundle, settings, tmp_path)
        promote(settings, tmp_path, version)
        found = champion(settings, tmp_path, tmp_path / "work")
    assert found is not None and found.version == version
    assert found.path.is_relative_to(tmp_path / "work")
    assert (found.path / "model.onnx").read_bytes() == b"weights"


def test_a_bundle_stays_with_the_run_that_trained_it(
    output: Path, tmp_path: Path, write_bundle: WriteBundle
) -> None:
    with Tracker.open(model("traced"), output) as tracker:
        pass
    version = register(write_bundle(tmp_path / "bundle", run_id=tracker.run_id), model("traced"), output)
    found = open_store(model("traced"), output).client.get_model_version("traced", version)
    assert found.run_id == tracker.run_id


def test_a_run_of_another_store_is_no_obstacle(
    output: Path, tmp_path: Path, write_bundle: WriteBundle
) -> None:
    assert register(write_bundle(tmp_path / "bundle", run_id="f" * 32), model("foreign"), output)


def test_a_champion_whose_files_are_gone_is_said_not_ignored(
    output: Path, tmp_path: Path, write_bundle: WriteBundle
) -> None:
    settings = model("gone")
    promote(settings, output, register(write_bundle(tmp_path / "bundle"), settings, output))
    found = champion(settings, output, tmp_path)
    assert found is not None
    shutil.rmtree(found.path)
    with pytest.raises(TrackingError, match="gone"):
        champion(settings, output, tmp_path)


def test_an_unknown_version_cannot_be_promoted(output: Path) -> None:
    with pytest.raises(TrackingError):
        promote(model("unknown"), output, "7")


def test_an_altered_bundle_is_not_registered(output: Path, tmp_path: Path, write_bundle: WriteBundle) -> None:
    bundle = write_bundle(tmp_path / "bundle")
    (bundle / "model.onnx").write_bytes(b"tampered")
    with pytest.raises(BundleError):
        register(bundle, model("altered"), output)
