"""The tables of the monitoring benchmark, on drawn photos whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.monitoring import accuracy, delays, false_alarms
from benchmarks.monitoring.outputs import OTHERS, HeldOut
from benchmarks.monitoring.shifts import SHIFTS
from tests.support.drift import draw, draw_reference


@pytest.fixture(scope="module")
def held_out() -> HeldOut:
    clean = draw_reference(0, 600, group_size=2)
    seen = clean.observations
    foreign = draw(np.random.default_rng(1), 100)
    shifted = {
        "clean": seen,
        "unsure": replace(seen, confidence=seen.confidence - 0.4),
        OTHERS: replace(foreign, novelty=foreign.novelty + 2),
    }
    return HeldOut(clean, shifted, {"none": [draw_reference(seed, 200) for seed in range(1, 6)]})


def test_streams_like_the_reference_raise_no_alarm(
    held_out: HeldOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(false_alarms, "_LENGTH", 300)
    monkeypatch.setattr(false_alarms, "_PARTITIONS", 2)
    rows = list(false_alarms.table(held_out.clean, 2))
    assert len(rows) == 6
    assert all(row.endswith("| 2 | 0 |") for row in rows[2:])


def test_reference_and_stream_share_no_group(held_out: HeldOut) -> None:
    known, stream = false_alarms.split_groups(held_out.clean, np.random.default_rng(0))
    assert len(known) + len(stream) == len(held_out.clean)
    assert not set(known.groups) & set(stream.groups)


def test_delays_of_each_shift(held_out: HeldOut) -> None:
    rows = {row.split(" | ")[0]: row for row in delays.table(held_out, 2)}
    assert {"| unsure", f"| {OTHERS}", f"| 30% {OTHERS}", "| label shift"} <= rows.keys()
    assert rows[f"| {OTHERS}"].endswith("| 2 of 2 |")
    assert int(rows[f"| {OTHERS}"].split(" | ")[1]) < 30


def test_a_reversed_class_becomes_as_frequent_as_the_commonest_was(held_out: HeldOut) -> None:
    _, stream = delays.stream_of(held_out, "label shift", np.random.default_rng(0))
    counts = np.bincount(stream.label, minlength=4)
    before = np.bincount(held_out.clean.observations.label, minlength=4)
    assert counts.argmax() == before.argmin()


def test_estimates_on_photos_like_the_reference_are_right(held_out: HeldOut) -> None:
    *_, last = accuracy.table(held_out)
    assert "over 5 estimates" in last
    assert float(last.split()[2]) < 4  # points


def test_grades_of_streams(held_out: HeldOut) -> None:
    rows = "\n".join(accuracy.grades(held_out, 2))
    assert "harmful 2" in rows
    assert "unfamiliar 2" in rows


def test_each_shift_changes_photos_as_it_says() -> None:
    photo = np.tile(np.arange(0, 256, 4, dtype=np.uint8)[:, None, None], (1, 64, 3))
    assert all(shift(photo).shape == photo.shape for shift in SHIFTS.values())
    assert (SHIFTS["clean"](photo) == photo).all()
    assert SHIFTS["brightness 0.6"](photo).max() == round(252 * 0.6)
    assert np.ptp(SHIFTS["zoom 2x"](photo).astype(int)) < 0.6 * np.ptp(photo.astype(int))
    warm = SHIFTS["warm colour cast"](photo).astype(int)
    assert (warm[..., 0] >= photo[..., 0]).all() and (warm[..., 2] <= photo[..., 2]).all()
