"""History and curves of a training."""

from pathlib import Path

import pandas as pd

from phytoflow.training.history import draw_curves, write_history

EPOCHS = [
    {"fit": fit, "epoch": epoch, "rate": 0.1, "train/loss": 1 / epoch, "validation/macro_f1": 0.5}
    for fit in ("fold 1", "final fit")
    for epoch in (1, 2)
]


def test_the_history_has_a_row_for_each_epoch_of_each_fit(tmp_path: Path) -> None:
    write_history(EPOCHS, tmp_path)
    table = pd.read_csv(tmp_path / "history.csv")
    assert table["fit"].tolist() == ["fold 1", "fold 1", "final fit", "final fit"]
    assert table["train/loss"].tolist() == [1, 0.5, 1, 0.5]
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_each_fit_has_its_curve_in_the_chart_of_the_metric() -> None:
    loss, macro_f1 = draw_curves(pd.DataFrame(EPOCHS)).axes
    assert [line.get_label() for line in loss.lines] == ["final fit, train", "fold 1, train"]
    assert loss.lines[0].get_ydata().tolist() == [1, 0.5]  # type: ignore[union-attr]
    assert [line.get_label() for line in macro_f1.lines] == ["final fit, validation", "fold 1, validation"]


def test_a_chart_without_curves_says_why(tmp_path: Path) -> None:
    texts = [axes.texts[0].get_text() for axes in write_history([], tmp_path).axes]
    assert texts == ["solved without epochs"] * 2
    assert (tmp_path / "history.csv").read_text() == "fit,epoch,rate\n"
    without_f1 = [{key: value for key, value in epoch.items() if "macro_f1" not in key} for epoch in EPOCHS]
    assert draw_curves(pd.DataFrame(without_f1)).axes[1].texts[0].get_text() == "evaluated once, at the end"
