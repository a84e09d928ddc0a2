from phytoflow.evaluation.report.confusion import MAX_CLASSES, confused_pairs, confusion_rows
from tests.support.metrics import metrics_of, predictions_of


def test_rows_and_cells_are_those_of_the_matrix() -> None:
    metrics = metrics_of(predictions_of([0, 0, 0, 1], [0, 0, 1, 1], ("a", "b", "c")))
    rows = confusion_rows(metrics)
    assert [name for name, _ in rows] == ["a", "b", "c"]
    first = rows[0][1]
    assert [(cell.count, cell.kind) for cell in first] == [(2, "right"), (1, "wrong"), (0, "empty")]
    assert first[0].share == 2 / 3
    assert all(cell.kind == "empty" for cell in rows[2][1])  # a class without photos


def test_the_most_frequent_mistakes_come_first() -> None:
    labels, predicted = [0] * 5 + [1] * 5, [0, 0, 1, 1, 2, 1, 1, 1, 1, 0]
    pairs = confused_pairs(metrics_of(predictions_of(labels, predicted, ("a", "b", "c"))), {})
    assert (pairs[0].label, pairs[0].predicted, pairs[0].count, pairs[0].of) == ("a", "b", 2, 5)
    assert len(pairs) == 3 and sum(p.count for p in pairs) == 4


def test_too_many_classes_have_a_list_and_no_table() -> None:
    names = [f"class {number}" for number in range(MAX_CLASSES + 1)]
    metrics = metrics_of(predictions_of([0, 1, 2], [0, 1, 1], names))
    assert confusion_rows(metrics) == []
    assert [(p.label, p.predicted) for p in confused_pairs(metrics, {})] == [("class 2", "class 1")]
