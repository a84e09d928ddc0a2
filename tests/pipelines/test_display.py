"""What a person sees of a run, with a terminal and without."""

from __future__ import annotations

import io
import os
from typing import cast

import pytest

from phytoflow.steps import STEPS
from phytoflow.system.progress import ProgressEvent
from pipelines import display as module
from pipelines.display import Display, TerminalDisplay, open_display, step_title
from pipelines.training import build


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def show(display: Display) -> None:
    with display:
        display.skip("configure")
        display.begin("train")
        display.say("[train] weights [imagenet]")
        display.progress(ProgressEvent("Reading features", 10, 40, 5.0))
        display.end(done=True)


def test_lines_say_which_step_of_how_many_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LINE_SECONDS", 0.0)
    stream = io.StringIO()
    show(Display(stream))
    assert stream.getvalue().splitlines() == [
        "1/8 configure: done by an earlier run",
        "3/8 train",
        "[train] weights [imagenet]",
        "[train] Reading features: 10 of 40, 15 s left",
        "3/8 train: done after 0 s",
    ]


def test_a_terminal_gets_the_lines_and_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    display = TerminalDisplay(stream)
    with display:
        display.begin("train")
        display.progress(ProgressEvent("Reading features", 10, 40, 5.0))
        display.say("[train] weights")
    text = stream.getvalue()
    assert "[train] weights\n" in text
    assert "3/8 train" in text and "━" in text and "10 of 40, 15 s left" in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # the cursor is shown again


def test_a_silent_step_is_said_to_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SILENT_SECONDS", 0.0)
    stream = io.StringIO()
    display = Display(stream)
    display.begin("export")
    display.tick()
    assert stream.getvalue().splitlines()[-1] == "[export] 0 s so far"


def test_the_run_goes_on_when_nobody_reads_it_any_more() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        show(open_display(stream))


def test_a_display_is_chosen_by_the_stream() -> None:
    assert isinstance(open_display(Terminal()), TerminalDisplay)
    assert not isinstance(open_display(io.StringIO()), TerminalDisplay)


def test_the_counted_steps_are_those_of_the_pipeline_in_its_order() -> None:
    spec = cast("dict[str, object]", build().pipeline_spec.deployment_spec["executors"])
    assert {name.removeprefix("exec-") for name in spec} == {*STEPS, "finish", "refuse"}
    assert [step_title(step) for step in STEPS][0::7] == ["1/8 configure", "8/8 publish"]
    assert step_title("finish") == "finish"
