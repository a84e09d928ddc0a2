from benchmarks.evaluation.latency import table
from phytoflow.evaluation.metrics.latency import Latency


def test_the_table_has_a_row_for_each_machine() -> None:
    rows = {"as it is": Latency(8.04, 7.5, 9, 7.4), "2 busy loops": Latency(50, 47.8, 60, None)}
    assert table(rows)[2:] == [
        "| as it is | 8.0 ms | 7.5 ms | 7.4 ms |",
        "| 2 busy loops | 50.0 ms | 47.8 ms | - |",
    ]
