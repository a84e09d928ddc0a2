"""`phytoflow predict` and `explain`: the classes of photos, and what in a photo speaks for one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

UrlOption = Annotated[str, typer.Option(help="A running predictor, e.g. http://localhost:8080.")]
BundleOption = Annotated[str, typer.Option(help="Folder of a bundle, to answer without a predictor.")]
ModelOption = Annotated[str, typer.Option(help="Name of the served model, with --url.")]


def predict(
    images: Annotated[list[Path], typer.Argument(help="Photos, or folders of photos.")],
    url: UrlOption = "",
    bundle: BundleOption = "",
    model: ModelOption = "leaf",
    top_k: Annotated[int, typer.Option(min=1, help="Classes shown for each photo.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per photo.")] = False,
    output: Annotated[
        Path | None, typer.Option(help="Write a .csv, .json or .jsonl file instead of printing.")
    ] = None,
) -> None:
    """Classify photos with a running predictor or straight from a bundle.

    Of a folder the files that training would read are classified; the others are listed as skipped. If a
    photo cannot be classified, the rest still are, and the exit code is 3.
    """
    from phytoflow.cli.photos.classifiers import open_source
    from phytoflow.cli.photos.classify import classify_photos
    from phytoflow.cli.photos.results import WRITERS, check_output

    if output:
        check_output(output, WRITERS)
    source = open_source(url, bundle, model)
    failed = classify_photos(images, source, top_k=top_k, as_json=as_json, output=output)
    raise typer.Exit(3 if failed else 0)


def explain(
    image: Annotated[Path, typer.Argument(help="A photo.")],
    url: UrlOption = "",
    bundle: BundleOption = "",
    model: ModelOption = "leaf",
    label: Annotated[
        str, typer.Option("--class", help="Class to explain; the most likely one if empty.")
    ] = "",
    output: Annotated[Path, typer.Option(help="PNG file to write.")] = Path("heat.png"),
) -> None:
    """Draw a heat map over a photo: where the evidence for a class is."""
    from phytoflow.cli.photos.classifiers import open_source
    from phytoflow.cli.photos.heat_map import write_heat_map
    from phytoflow.cli.photos.results import check_output

    check_output(output, [".png"])
    write_heat_map(image, open_source(url, bundle, model), label, output)
