import signal

import pytest

from phytoflow.errors import EXIT_CODES, PhytoflowError, nearest_name


def test_an_error_reads_as_what_went_wrong_and_what_to_do() -> None:
    assert str(PhytoflowError("no space left")) == "no space left"
    assert str(PhytoflowError("no space", remedy="free some")) == "no space\n  What to do: free some"


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("helthy", "Healthy"), ("RUST", "rust"), ("rust", "rust"), ("zzz", ""), ("", "")],
)
def test_the_nearest_name_ignores_case_and_may_be_none(name: str, nearest: str) -> None:
    assert nearest_name(name, ["Healthy", "rust", "scab"]) == nearest


def _kinds(kind: type[PhytoflowError]) -> set[type[PhytoflowError]]:
    return {kind, *(inner for direct in kind.__subclasses__() for inner in _kinds(direct))}


def test_the_table_of_exit_codes_holds_every_error() -> None:
    codes = {kind.exit_code for kind in _kinds(PhytoflowError)}
    signals = {128 + number for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)}
    assert codes | signals | {0} == set(EXIT_CODES)
    assert all(meaning.endswith(".") for meaning in EXIT_CODES.values())
