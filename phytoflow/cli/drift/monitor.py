"""`phytoflow monitor`: whether logged photos are still those that a model was made for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from phytoflow.bundle.bundle import Bundle
    from phytoflow.monitoring.monitor import Assessment

_THUMBNAIL_SIDE = 160  # pixels


def monitor(
    log: Annotated[
        str,
        typer.Option(
            help="Folder of photos, .csv or .jsonl file of `phytoflow predict`, or a gateway's database URL."
        ),
    ],
    bundle: Annotated[Path, typer.Option(help="Folder of the bundle that answered.")],
    output: Annotated[
        Path | None, typer.Option(help="Write a .html page or a .json file; printed as text otherwise.")
    ] = None,
    details: Annotated[
        Path | None,
        typer.Option(help="Also write Evidently's report of the newest 500 photos, a .html page."),
    ] = None,
) -> None:
    """Compare photos with those that a model was made for: alarm, what moved, estimated accuracy.

    Photos are taken in order: those of a folder by name, those of a database by time.
    """
    import numpy as np

    from phytoflow.bundle.bundle import Bundle
    from phytoflow.cli.drift.sources import read_log
    from phytoflow.cli.photos.results import check_output
    from phytoflow.errors import DataError
    from phytoflow.monitoring.evidently_report import check_evidently, write_evidently_report
    from phytoflow.monitoring.monitor import Monitor
    from phytoflow.monitoring.reference import load_reference

    if output:
        check_output(output, [".html", ".json"])
    if details:
        check_output(details, [".html"])
        check_evidently()
    opened = Bundle.load(bundle)
    reference, statistics = load_reference(opened)
    watching = Monitor(reference)
    state, totals = watching.start(), [np.empty(0)]
    for photos, names in read_log(log, opened, statistics):
        state, part = watching.advance(state, photos, names)
        totals.append(part)
    if not len(state.recent):
        what = f"there is no photo in {log}" if Path(log).is_dir() else f"{log} holds no prediction"
        raise DataError(what, remedy="give the photos, or their predictions, that were answered")
    assessment = watching.assess(state)
    _print(assessment)
    if output:
        _write(output, assessment, np.concatenate(totals), log, opened)
    if details:
        write_evidently_report(reference, state.recent, details)
        print(f"written: {details}")


def _print(assessment: Assessment) -> None:
    from phytoflow.monitoring.sentences import GRADES, WHAT, accuracy_sentence

    print(f"{assessment.photos} photos, wealth of the test {assessment.wealth:.3g} (alarm at 200)")
    print(GRADES[assessment.grade])
    print(accuracy_sentence(assessment.accuracy))
    if assessment.attribution:
        print(f"Alarm at photo {assessment.alarm_at}; the change began about photo {assessment.changed_at}.")
        for row in assessment.attribution.moved:
            detail = f" ({row.detail})" if row.detail else ""
            print(f"  {WHAT[row.name]}{detail}: {row.reference:.3g} to {row.served:.3g}, p {row.p_value:.1e}")
        print("Photos that resemble the reference least:", *assessment.strangest, sep="\n  ")


def _write(output: Path, assessment: Assessment, totals: object, log: str, bundle: Bundle) -> None:
    import numpy as np

    from phytoflow.storage.atomic import atomic_file

    assert isinstance(totals, np.ndarray)
    if output.suffix.lower() == ".json":
        text = assessment.model_dump_json(indent=2) + "\n"
    else:
        from phytoflow.monitoring.page import render_monitor_page

        served = [(name, Path(name)) for name in assessment.strangest if Path(name).is_file()]
        probes = [(probe.label, bundle.path / probe.file) for probe in bundle.manifest.probes]
        text = render_monitor_page(
            assessment,
            totals,
            source=_without_password(log),
            version=bundle.manifest.version,
            served=_thumbnails(served),
            training=_thumbnails(probes),
        )
    with atomic_file(output) as partial:
        partial.write_text(text, encoding="utf-8")
    print(f"written: {output}")


def _without_password(log: str) -> str:
    """The log's name for a page that people pass on."""
    if "://" not in log:
        return log
    from sqlalchemy import make_url

    return make_url(log).render_as_string()


def _thumbnails(photos: list[tuple[str, Path]]) -> list[tuple[str, bytes]]:
    from phytoflow.data.images.thumbnail import thumbnail

    return [(name, thumbnail(file.read_bytes(), _THUMBNAIL_SIDE)) for name, file in photos]
