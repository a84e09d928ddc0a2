"""The model card (Mitchell et al. 2019), generated from the run: nothing in it is typed by hand."""

from __future__ import annotations

from phytoflow.bundle.bundle import Bundle
from phytoflow.bundle.manifest import BundleManifest
from phytoflow.evaluation.report.phrases import (
    between,
    bullets,
    describe_external,
    describe_leakage,
    describe_robustness,
    describe_selective,
    percent,
    photos_of,
)
from phytoflow.evaluation.report.remarks import headline, remarks
from phytoflow.evaluation.report.scope import out_of_scope_uses
from phytoflow.evaluation.results import Metrics

CARD_FILE = "model_card.md"


def model_card(metrics: Metrics, bundle: Bundle) -> str:
    """The card as Markdown.

    Args:
        metrics: Metrics on test photos.
        bundle: The bundle that was evaluated.
    """
    manifest = bundle.manifest
    sections = {
        "Model": _model(manifest),
        "Intended use": [
            f"Recognising what a photo of one leaf or plant shows, out of {len(manifest.classes)} classes: "
            f"{', '.join(manifest.classes)}."
        ],
        "Out-of-scope uses": out_of_scope_uses(metrics),
        "Data": _data(metrics, len(bundle.training_photos())),
        "Metrics": _metrics(metrics),
        "Limitations": remarks(metrics),
    }
    parts = [f"## {title}\n\n{bullets(lines)}" for title, lines in sections.items()]
    return f"# {manifest.name}: {headline(metrics)}\n\n" + "\n\n".join(parts) + "\n"


def _model(manifest: BundleManifest) -> list[str]:
    models = ", ".join(f"{name} {file.bytes / 1e6:.1f} MB" for name, file in manifest.models.items())
    return [
        f"{manifest.backbone} with a {manifest.head} head, {manifest.parameters:,} parameters; {models}",
        f"version {manifest.version}, created {manifest.provenance.created or 'at an unrecorded time'} with "
        f"{manifest.provenance.code_version}",
        f"input: a photo, of which the central square is scaled to {manifest.preprocessing.size} pixels "
        f"({manifest.preprocessing.interpolation})",
        f"probabilities are calibrated (temperature {manifest.temperature:.2f})",
        *([manifest.provenance.weights] if manifest.provenance.weights else []),
    ]


def _data(metrics: Metrics, trained_on: int) -> list[str]:
    lines = [f"tested on {photos_of(metrics.photos)} of {metrics.groups} separate things"]
    if trained_on:
        lines.append(f"trained on {photos_of(trained_on)} of data {metrics.data_hash[:12]}")
    return lines + ([describe_leakage(metrics.leaks)] if metrics.leaks else [])


def _metrics(metrics: Metrics) -> list[str]:
    lines = [
        f"{name.replace('_', ' ')} {percent(getattr(metrics, name))} ({between(interval)})"
        for name, interval in metrics.intervals.items()
    ]
    lines.append(f"expected calibration error {percent(metrics.ece)}{_expected_by_chance(metrics)}")
    lines.append(
        f"{metrics.mean_latency_ms:.1f} ms per photo with {metrics.runtime} on the machine of the run"
    )
    lines += [describe_external(metrics.external)] if metrics.external else []
    lines += [describe_robustness(metrics.robustness)] if metrics.robustness else []
    return lines + ([describe_selective(metrics.selective)] if metrics.selective else [])


def _expected_by_chance(metrics: Metrics) -> str:
    if (calibration := metrics.calibration) is None:
        return ""
    by_chance = percent(calibration.ece_if_calibrated)
    return f" ({between(calibration.interval)}; {by_chance} is expected by chance on so many photos)"
