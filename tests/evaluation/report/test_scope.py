from phytoflow.evaluation.audit.background_bias import BackgroundBias
from phytoflow.evaluation.metrics.ood import ExternalOodMetrics, OodMetrics
from phytoflow.evaluation.report.scope import out_of_scope_uses
from tests.support.metrics import example_metrics, metrics_of, predictions_of


def ood(accepted: float) -> OodMetrics:
    external = ExternalOodMetrics(photos=50, auroc=0.9, fpr95=0.2, accepted=accepted)
    return OodMetrics(method="energy", false_positive_rate=0.05, near=None, far=0.9, external=external)


def test_a_person_always_checks_first() -> None:
    assert out_of_scope_uses(example_metrics(40, 40))[0].startswith(
        "Spraying, felling or selling unless a person"
    )


def test_a_revealing_background_rules_out_other_cameras() -> None:
    bias = BackgroundBias(chance=0.2, eight_pixels=0.3, border=0.9, masked=0.4, photos=200)
    assert any(
        "the background, not the disease" in t
        for t in out_of_scope_uses(example_metrics(background_bias=bias))
    )
    assert any("has not been tested" in text for text in out_of_scope_uses(example_metrics()))


def test_other_subjects_are_ruled_out_unless_they_are_detected() -> None:
    assert any("gives those a class, too" in text for text in out_of_scope_uses(example_metrics()))
    assert any(
        "it gave 30.0% of 50 photos" in text for text in out_of_scope_uses(example_metrics(ood=ood(0.3)))
    )
    assert not any("something else" in text for text in out_of_scope_uses(example_metrics(ood=ood(0.1))))


def test_weak_and_hardly_tested_classes_are_named() -> None:
    labels, predicted = [0] * 12 + [1] * 4, [0] * 12 + [1, 0, 0, 0]
    uses = out_of_scope_uses(metrics_of(predictions_of(labels, predicted, ("rust", "scab"))))
    assert "Decisions about scab: it is too often wrong there." in uses
    assert "Decisions about scab: tested on too few leaves or plants." in uses
