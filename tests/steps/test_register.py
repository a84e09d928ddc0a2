from pathlib import Path

from phytoflow.bundle.bundle import Bundle
from phytoflow.tracking.mlflow_client import open_store
from tests.steps.conftest import Flow


def test_the_bundle_is_delivered_whole_and_registered_as_challenger(registered: Flow) -> None:
    delivered = Path(registered.output) / "bundle"
    assert (
        Bundle.load(delivered).manifest.version == Bundle.load(registered.folder / "bundle").manifest.version
    )
    assert {"metrics.json", "report.html", "model_card.md"} <= {path.name for path in delivered.iterdir()}
    client = open_store(registered.settings.tracking, registered.output).client
    assert str(client.get_model_version_by_alias("leaf", "challenger").version) == "1"
