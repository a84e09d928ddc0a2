"""How far probabilities may lie from the recorded ones."""

from phytoflow.bundle.bundle import Bundle
from phytoflow.inference.tolerance import TOLERANCES, allowed_difference
from tests.support.golden import BUNDLE


def test_an_int8_model_states_its_own_tolerance() -> None:
    manifest = Bundle.load(BUNDLE).manifest
    assert allowed_difference(manifest, "float32") == TOLERANCES["float32"] == 1e-3
    assert allowed_difference(manifest, "bf16") == TOLERANCES["bf16"]
    for stated, allowed in ((0.061, 0.061), (None, TOLERANCES["int8"])):
        file = manifest.models["onnx"].model_copy(update={"tolerance": stated})
        with_int8 = manifest.model_copy(update={"models": manifest.models | {"int8": file}})
        assert allowed_difference(with_int8, "int8") == allowed
        assert allowed_difference(with_int8, "auto") == max(allowed, TOLERANCES["bf16"])
