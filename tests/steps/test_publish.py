from pathlib import Path

import httpx
import pytest

from phytoflow.deploy.local.publisher import stop
from phytoflow.steps.publish import publish
from phytoflow.steps.settings import PublishStepSettings
from phytoflow.tracking.mlflow_client import open_store
from tests.steps.conftest import Flow


@pytest.fixture
def settings(registered: Flow) -> PublishStepSettings:
    return PublishStepSettings.of(registered.settings)


def test_the_registered_version_answers_and_becomes_champion(
    registered: Flow, settings: PublishStepSettings
) -> None:
    folder, output = registered.folder, registered.output
    try:
        url = publish(folder / "registered", "1", folder / "dataset", settings, output)
        assert httpx.get(f"{url}/v2/models/leaf/ready").status_code == 200
        client = open_store(settings.tracking, output).client
        assert str(client.get_model_version_by_alias("leaf", "champion").version) == "1"
        assert url in (Path(output) / "report.html").read_text()
    finally:
        stop(Path(output) / "predictor.json")


def test_where_publishing_is_off_nothing_starts(registered: Flow, settings: PublishStepSettings) -> None:
    off = settings.model_copy(update={"serving": settings.serving.model_copy(update={"publish": False})})
    folder = registered.folder
    assert publish(folder / "registered", "1", folder / "dataset", off, registered.output) == ""
    assert not (Path(registered.output) / "predictor.json").exists()
