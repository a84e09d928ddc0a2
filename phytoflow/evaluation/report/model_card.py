"""The model card (Mitchell et al. 2019), written from the run's own facts: nothing in it is typed by hand."""

from __future__ import annotations

from phytoflow.bundle.bundle import Bundle
from phytoflow.bundle.manifest import BundleManifest
from phytoflow.evaluation.report import phrases as words
from phytoflow.evaluation.report.remarks import not_for, remarks, verdict
from phytoflow.evaluation.results import Metrics

CARD_FILE = "model_card.md"


def model_card(metrics: Metrics, bundle: Bundle) -> str:
    """The card as Markdown.

    Args:
        metrics: Figures on test photos.
        bundle: What was measured.
    """
    manifest = bundle.manifest
    sections = {
        "What it is": _details(manifest),
        "What it is for": [
            f"Naming what a photo of one leaf or plant shows, of {len(manifest.classes)} classes: "
            f"{', '.join(manifest.classes)}."
        ],
        "What it must not be used for": not_for(metrics),
        "Photos": _photos(metrics, len(bundle.training_photos())),
        "Figures": _figures(metrics),
        "Limits found": remarks(metrics),
    }
    parts = [f"## {title}\n\n" + "\n".join(f"- {line}" for line in said) for title, said in sections.items()]
    return f"# {manifest.name}: {verdict(metrics)}\n\n" + "\n\n".join(parts) + "\n"


def _details(manifest: BundleManifest) -> list[str]:
    forms = ", ".join(f"{form} {file.bytes / 1e6:.1f} MB" for form, file in manifest.models.items())
    return [
        f"{manifest.backbone} with a {manifest.head} head, {manifest.parameters:,} parameters; {forms}",
        f"version {manifest.version}, made {manifest.provenance.created or 'at a time not recorded'} with "
        f"{manifest.provenance.code_version}",
        f"input: a photo, its middle square at {manifest.preprocessing.size} pixels",
        f"probabilities are calibrated (temperature {manifest.temperature:.2f})",
    ]


def _photos(metrics: Metrics, trained_on: int) -> list[str]:
    said = [f"tested on {metrics.photos} photos of {metrics.groups} separate things"]
    if trained_on:
        said.append(f"trained on {trained_on} others, of data {metrics.data_hash[:12]}")
    return said + ([words.leaks(metrics.leaks)] if metrics.leaks else [])


def _figures(metrics: Metrics) -> list[str]:
    said = [
        f"{name.replace('_', ' ')} {words.percent(getattr(metrics, name))} ({words.between(interval)})"
        for name, interval in metrics.intervals.items()
    ]
    said.append(f"expected calibration error {words.percent(metrics.ece)}{_chance(metrics)}")
    said.append(f"{metrics.mean_latency_ms:.1f} ms a photo with {metrics.runtime} on the machine of the run")
    said += [words.field(metrics.field)] if metrics.field else []
    said += [words.robustness(metrics.robustness)] if metrics.robustness else []
    return said + ([words.ask(metrics.selective)] if metrics.selective else [])


def _chance(metrics: Metrics) -> str:
    if (found := metrics.calibration) is None:
        return ""
    chance = f"{words.percent(found.by_chance)} would be chance on {metrics.photos} photos"
    return f" ({words.between(found.interval)}; {chance})"
