"""The predictor's command line."""

from __future__ import annotations

from dataclasses import fields

import pytest

from phytoflow.system.cpu import cpu_count
from serving.predictor.options import Options, option_references, read_options


def test_defaults_of_the_command_line_are_those_of_the_class() -> None:
    options = read_options(["--bundle", "out/bundle"])
    assert options == Options("out/bundle", inference_threads=cpu_count())


def test_closed_by_default() -> None:
    options = read_options(["--bundle", "b"])
    assert (options.host, options.model_control_mode, options.bundle_repository) == ("localhost", "none", "")


def test_zero_threads_are_one_a_cpu_and_a_given_number_is_kept() -> None:
    assert read_options(["--bundle", "b", "--inference_threads=0"]).inference_threads == cpu_count()
    assert read_options(["--bundle", "b", "--inference_threads=7"]).inference_threads == 7


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--bundle"),
        (["--bundle", "b", "--max_queue_size", "-1"], "-1 is negative"),
        (["--bundle", "b", "--max_queue_size", "many"], "--max_queue_size"),
        (["--bundle", "b", "--runtime", "cuda"], "invalid choice"),
        (["--bundle", "b", "--no_such_option", "1"], "--no_such_option"),
    ],
)
def test_a_wrong_command_line_ends_with_its_reason(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        read_options(arguments)
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_every_option_is_described_in_one_sentence_of_its_own() -> None:
    texts = {option.name: option.help for option in option_references()}
    assert texts.keys() == {field.name for field in fields(Options)}
    assert len(set(texts.values())) == len(texts)
    assert all(text.endswith(".") and ":param" not in text for text in texts.values())


def test_limits_on_a_photo_name_the_options_that_set_them() -> None:
    limits = read_options(
        ["--bundle", "b", "--max_photo_bytes=5", "--max_pixels=6", "--min_side=7"]
    ).photo_limits
    assert (limits.max_bytes, limits.max_pixels, limits.min_side) == (5, 6, 7)
    assert limits.names == ("--max_photo_bytes", "--max_pixels", "--min_side")
