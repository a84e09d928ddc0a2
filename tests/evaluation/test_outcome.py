import pytest

from phytoflow.evaluation.gate.conditions import Condition, Verdict
from phytoflow.evaluation.outcome import Publication, RunOutcome, TrackedRun, insert_outcome

PAGE = "<h1>x</h1><!-- outcome -->\n<!-- /outcome --><p>rest</p>"


def outcome(*, passed: bool = True, publication: Publication | None = None, **more: object) -> RunOutcome:
    text = "accuracy 0.79 is below 0.8 <b>" if not passed else "accuracy 0.9 is at least 0.8"
    condition = Condition(name="accuracy", value=0.9, limit=0.8, passed=passed, text=text)
    verdict = Verdict(conditions=(condition,))
    return RunOutcome(output="/out", verdict=verdict, publication=publication, **more)  # type: ignore[arg-type]


def test_a_failed_gate_is_shown_with_its_reason() -> None:
    page = insert_outcome(PAGE, outcome(passed=False))
    assert "The gate failed: not published" in page
    assert "accuracy 0.79 is below 0.8 &lt;b&gt;" in page and "✗" in page
    assert "curl" not in page and "phytoflow serve" not in page


def test_a_passed_gate_before_publishing_claims_no_publication() -> None:
    page = insert_outcome(PAGE, outcome())
    assert "The gate passed</h2>" in page and "answers on" not in page and "curl" not in page


def test_inserting_again_replaces_what_was_there() -> None:
    once = insert_outcome(PAGE, outcome(passed=False))
    twice = insert_outcome(once, outcome())
    assert "failed" not in twice and twice == insert_outcome(PAGE, outcome())


def test_a_page_without_the_place_stays_as_it_is() -> None:
    assert insert_outcome("<h1>old report</h1>", outcome()) == "<h1>old report</h1>"


@pytest.mark.parametrize("sign", ["\\1", "{{ 7 * 7 }}", "{% if"])
def test_texts_are_taken_literally(sign: str) -> None:
    publication = Publication(published=False, reason=f"because {sign}")
    assert f"because {sign}" in insert_outcome(PAGE, outcome(publication=publication))


def test_links_are_only_to_what_is_there() -> None:
    assert "data.html" not in insert_outcome(PAGE, outcome())
    run = TrackedRun(name="lite0 on leaves", url="http://127.0.0.1:5000/#/x", command="cd /out && mlflow ui")
    page = insert_outcome(PAGE, outcome(tracked_run=run), data_page=True)
    assert '<a href="data.html">' in page
    assert '<a href="http://127.0.0.1:5000/#/x">curves of “lite0 on leaves”</a>' in page
    assert "cd /out &amp;&amp; mlflow ui" in page


def test_a_published_models_address_and_name_are_those_of_the_predictor() -> None:
    publication = Publication(
        published=True, url="http://h:1", model_name="leaf", where="the cluster", time="t"
    )
    page = insert_outcome(PAGE, outcome(publication=publication, model_version="3", registered_model="leaf"))
    assert "the model answers on the cluster" in page
    assert "curl -s http://h:1/v2/models/leaf/infer" in page
    assert "version 3 of “leaf”" in page


def test_the_outcome_survives_as_json() -> None:
    full = outcome(publication=Publication(published=True, url="u"), model_version="1")
    assert RunOutcome.from_json(full.model_dump_json()) == full
