"""`python -m benchmarks.explanation BUNDLE FOLDER`: deletion and insertion, compared with two baselines.

Deletion should be low, insertion high. The baselines are a random map as smooth as the explanation, and the
strength of edges, neither of which depends on the model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image

from benchmarks.explanation.faithfulness import Faithfulness, edges, faithfulness
from phytoflow.data.ingest.class_folders import folder_photos
from phytoflow.inference.attribution import explain
from phytoflow.inference.classifier import Classifier


def measure(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    folder: Annotated[Path, typer.Argument(help="Class folders of photos.")],
    photos: Annotated[int, typer.Option(min=2, help="Number of photos, taken evenly from the folder.")] = 40,
) -> None:
    """Explains the photos and prints a table."""
    classifier, random = Classifier.load(bundle), np.random.default_rng(0)
    known = [p for p in folder_photos(folder) if p.label in classifier.classes]
    chosen = [known[i] for i in np.linspace(0, len(known) - 1, min(photos, len(known))).astype(int)]
    results: dict[str, list[Faithfulness]] = {"explanation": [], "random": [], "edges": []}
    for photo in chosen:
        preprocessing = classifier.bundle.manifest.preprocessing
        pixels = preprocessing.decode(photo.content)
        tensor = preprocessing.normalise(pixels)
        label = int(classifier.run(tensor[None]).probabilities[0].argmax())
        maps = {
            "explanation": explain(classifier, tensor, label),
            "random": _random_map(random, len(pixels)),
            "edges": edges(pixels),
        }
        for name, heat in maps.items():
            results[name].append(faithfulness(classifier, pixels, heat, label))
    _print_table(results)


def _random_map(random: np.random.Generator, size: int) -> np.ndarray:
    coarse = Image.fromarray(random.random((7, 7), np.float32))
    return np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC))


def _print_table(results: dict[str, list[Faithfulness]]) -> None:
    print(f"{len(results['explanation'])} photos\n")
    print("| map | deletion (low) | insertion (high) | insertion − deletion | explanation is better on |")
    print("|---|---|---|---|---|")
    ours = np.array([one.score for one in results["explanation"]])
    for name, rows in results.items():
        deletion, insertion = np.mean([r.deletion for r in rows]), np.mean([r.insertion for r in rows])
        theirs = np.array([row.score for row in rows])
        better = "" if name == "explanation" else f"{(ours > theirs).mean():.0%} of photos"
        print(f"| {name} | {deletion:.3f} | {insertion:.3f} | {insertion - deletion:.3f} | {better} |")


if __name__ == "__main__":
    typer.run(measure)
