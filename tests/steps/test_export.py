from phytoflow.bundle.bundle import Bundle
from tests.steps.conftest import Flow


def test_the_bundle_says_where_it_comes_from(exported: Flow) -> None:
    manifest = Bundle.load(exported.folder / "bundle").manifest
    origin = manifest.provenance
    assert manifest.name == "leaf" and manifest.classes == ("checks", "stripes")
    assert origin.run_id and origin.data_hash and origin.code_version
    assert origin.settings["model"]["backbone"] == "attention_cnn"
    assert set(origin.settings) == {"seed", "data", "model", "training", "export"}
