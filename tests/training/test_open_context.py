"""The key of a training."""

from pathlib import Path

from phytoflow.models.settings import ModelSettings
from phytoflow.training.open_context import open_store
from phytoflow.training.settings import TrainingSettings
from tests.support.small_training import MODEL, small_dataset


def test_the_key_of_a_training_depends_on_all_that_determines_its_result(tmp_path: Path) -> None:
    dataset = small_dataset(tmp_path, photos=10)

    def key(model: ModelSettings = MODEL, seed: int = 0, **changes: object) -> str:
        settings = TrainingSettings(**changes)  # type: ignore[arg-type]
        return open_store(dataset, model, settings, seed, tmp_path / "model", str(tmp_path)).key

    assert key() == key()
    changed = {key(seed=1), key(label_smoothing=0.1), key(model=MODEL.model_copy(update={"head": "mlp"}))}
    assert len(changed | {key()}) == 4
