"""Where a killed training finds what it had done."""

from pathlib import Path

from phytoflow.training.engine.checkpoints import CheckpointStore, fingerprint


def test_files_are_found_under_the_same_fingerprint_only(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("epoch 3")
    store = CheckpointStore(str(tmp_path / "kept"), "a", tmp_path / "scratch")
    assert store.get("last") is None
    store.put("last", file)
    again = CheckpointStore(str(tmp_path / "kept"), "a", tmp_path / "other").get("last")
    assert again is not None and again.read_text() == "epoch 3"
    other = CheckpointStore(str(tmp_path / "kept"), "b", tmp_path / "scratch")
    assert other.get("last") is None
    store.clear()
    assert store.get("last") is None and not store.scratch.exists()


def test_a_fingerprint_names_its_facts() -> None:
    assert fingerprint(a=1, b=[2]) == fingerprint(b=[2], a=1) != fingerprint(a=1, b=[3])
