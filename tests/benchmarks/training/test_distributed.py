"""The benchmark of several training processes: its figures."""

from benchmarks.training.distributed import Training, row


def test_a_row_has_times_efficiency_and_macro_f1() -> None:
    first = Training(1, {"features": 8.0, "finetune": 12.0}, 0.9)
    second = Training(2, {"features": 6.0, "finetune": 9.0}, 0.875)
    assert row(first, first, 3) == "| 1 | 8.0 | 4.0 | 1.00 | 0.900 |"
    assert row(second, first, 3) == "| 2 | 6.0 | 3.0 | 0.67 | 0.875 |"
