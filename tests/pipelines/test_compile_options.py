"""Options that are fixed when the pipeline is compiled."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from phytoflow.settings_base import amount
from pipelines.compile_options import SIZES, CompileOptions, Size
from tests.support.services.servers import ROOT


def test_every_step_has_a_size_and_there_is_no_other() -> None:
    files = {path.stem for path in (ROOT / "components").rglob("*.py")} - {"__init__", "image"}
    steps = {name.replace("_", "-") for name in files}
    assert SIZES.keys() == steps


@pytest.mark.parametrize("step", SIZES)
def test_a_step_asks_for_no_more_than_it_may_use(step: str) -> None:
    size = SIZES[step]
    assert 0 < amount(size.cpu_request) <= amount(size.cpu)
    assert 0 < amount(size.memory_request) <= amount(size.memory)
    assert size.seconds >= Size().seconds


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"accelerators": -1}, "accelerators"),
        ({"run_as_user": 0}, "run_as_user"),  # a step never runs as root
        ({"image_pull_policy": "Sometimes"}, "image_pull_policy"),
        ({"gpus": 1}, "gpus"),
    ],
)
def test_a_wrong_option_is_refused_by_name(options: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        CompileOptions.model_validate(options)
