import pytest

from phytoflow.errors import PhytoflowError, nearest_name


def test_an_error_reads_as_what_went_wrong_and_what_to_do() -> None:
    assert str(PhytoflowError("no space left")) == "no space left"
    assert str(PhytoflowError("no space", remedy="free some")) == "no space\n  What to do: free some"


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("helthy", "Healthy"), ("RUST", "rust"), ("rust", "rust"), ("zzz", ""), ("", "")],
)
def test_the_nearest_name_ignores_case_and_may_be_none(name: str, nearest: str) -> None:
    assert nearest_name(name, ["Healthy", "rust", "scab"]) == nearest
