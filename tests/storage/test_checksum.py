from pathlib import Path

from phytoflow.storage.checksum import file_sha256


def test_the_published_digests_of_sha256(tmp_path: Path) -> None:
    """Test vectors of FIPS 180-4: the empty message and a million letters a, more than one block read."""
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "million").write_bytes(b"a" * 1_000_000)
    assert file_sha256(tmp_path / "empty").startswith("e3b0c44298fc1c149afbf4c8996fb924")
    assert file_sha256(tmp_path / "million").startswith("cdc76e5c9914fb9281a1c7e284d73e67")
