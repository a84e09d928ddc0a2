from phytoflow.evaluation.results import read_metrics
from tests.steps.conftest import Flow


def test_the_test_photos_are_evaluated_and_the_report_written(evaluated: Flow) -> None:
    folder = evaluated.folder / "evaluation"
    assert read_metrics(folder).photos == 12
    assert (folder / "report.html").stat().st_size > 10_000
    assert (folder / "predictions.csv").exists()
