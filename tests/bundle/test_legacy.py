"""Manifests of earlier schemas are read under the current keys."""

import json
from pathlib import Path

import pytest

from phytoflow.bundle.bundle import MANIFEST, Bundle
from phytoflow.bundle.legacy import upgrade_manifest
from phytoflow.bundle.manifest import SCHEMA_VERSION
from tests.support.golden import BUNDLE
from tests.support.make_bundle import make_manifest


def test_a_recorded_manifest_of_schema_3_keeps_all_its_values() -> None:
    recorded = json.loads((BUNDLE / MANIFEST).read_text())
    manifest = Bundle.load(BUNDLE).manifest
    assert recorded["schema_version"] == 3 and manifest.schema_version == SCHEMA_VERSION
    assert manifest.ood is not None and manifest.int8 is not None
    ood = manifest.ood.model_dump(mode="json")
    assert ood.pop("false_positive_rate") == recorded["open_set"].pop("refused")
    assert ood == recorded["open_set"]
    int8 = manifest.int8.model_dump(mode="json")
    assert int8.pop("rejection_reason") == recorded["int8"].pop("refused") != ""
    assert int8 == recorded["int8"]
    rest = manifest.model_dump(mode="json", exclude={"schema_version", "ood", "int8", "provenance"})
    assert recorded["provenance"] | {"weights": ""} == manifest.provenance.model_dump(mode="json")
    assert {key: recorded[key] for key in rest.keys() & recorded.keys()} == {
        key: rest[key] for key in rest.keys() & recorded.keys()
    }


@pytest.mark.parametrize("version", [1, 2])
def test_the_first_schemas_had_no_int8_and_perhaps_no_ood_detection(tmp_path: Path, version: int) -> None:
    make_manifest(tmp_path)
    document = json.loads((tmp_path / MANIFEST).read_text()) | {"schema_version": version}
    for key in ("ood", "int8", "early_features"):
        del document[key]
    if version == 2:
        document["open_set"] = None
    (tmp_path / MANIFEST).write_text(json.dumps(document))
    manifest = Bundle.load(tmp_path).manifest
    assert manifest.ood is None and manifest.int8 is None


def test_an_unknown_version_is_left_for_the_schema_to_refuse() -> None:
    for version in (0, 5, "3", None):
        document = {"schema_version": version, "open_set": {}}
        assert upgrade_manifest(document) is document
