from phytoflow.tracking.description import RunFacts, describe_run, facts_of
from phytoflow.tracking.links import run_pages

PAGES = run_pages("http://mlflow:5000", None, "1", "r")


def test_facts_survive_as_tags() -> None:
    facts = RunFacts(trained="lite0 on leaves", gate="passed", output="/out")
    assert facts_of(facts.tags() | {"other": "tag"}) == facts
    assert "phytoflow.result" not in facts.tags()


def test_only_what_is_known_is_described() -> None:
    text = describe_run(RunFacts(trained="lite0 on leaves"), PAGES)
    assert text.splitlines() == [
        "Trained: lite0 on leaves",
        "",
        "[Curves](#/experiments/1/runs/r/model-metrics?workflowType=machine_learning)",
    ]


def test_names_are_no_markup() -> None:
    text = describe_run(RunFacts(trained="<b>x</b> *y* [z](http://evil)"), PAGES)
    assert "<b" not in text.replace("\\<b", "") and "\\*y\\*" in text and "\\[z\\]" in text


def test_report_and_bundle_are_linked_once_they_are_there() -> None:
    text = describe_run(
        RunFacts(report="evaluation/report.html", bundle="bundle", published="http://x"), PAGES
    )
    assert "[Report](#/experiments/1/runs/r/artifacts/evaluation/report.html?" in text
    assert "[Bundle](#/experiments/1/runs/r/artifacts/bundle?" in text
    assert "Published: http://x" in text
