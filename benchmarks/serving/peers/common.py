"""What every peer is handed: the bundle's preprocessing, and the model in the form it is to run."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phytoflow.bundle.bundle import Bundle

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Arguments:
    """How to serve.

    Attributes:
        work: Folder with the bundle and the trained model.
        port: HTTP port.
        form: ``eager``, ``torchscript``, or a runtime of phytoflow, which then is handed over.
        workers: Processes; with more than one each has one thread.
    """

    work: Path
    port: int
    form: str
    workers: int

    @classmethod
    def read(cls) -> Arguments:
        parser = argparse.ArgumentParser()
        for name, kind in (("work", Path), ("port", int), ("form", str), ("workers", int)):
            parser.add_argument(f"--{name}", type=kind, required=True)
        return cls(**vars(parser.parse_args()))


class Model:
    """The bundle's model: ``prepare`` a photo, ``run`` a batch.

    Args:
        arguments: The form and, by the number of workers, the threads.
    """

    def __init__(self, arguments: Arguments) -> None:
        self._arguments = arguments
        self._bundle = Bundle.load(arguments.work / "bundle", verify=False)
        self._preprocessing = self._bundle.manifest.preprocessing
        threads = 1 if arguments.workers > 1 else 0
        self._run = (
            _torch(arguments, threads) if _documented(arguments.form) else self._handed(arguments.form)
        )
        self.run(np.stack([self.prepare(self._bundle.probe_contents()[0])]))

    def __reduce__(self) -> tuple[type[Model], tuple[Arguments]]:
        """To another process it goes as what it was made from."""
        return Model, (self._arguments,)

    def prepare(self, content: bytes) -> Array:
        """An encoded photo to float32 [3, H, W]."""
        return self._preprocessing.normalise(self._preprocessing.decode(content))

    def prepare_image(self, image: Image.Image) -> Array:
        """A decoded photo to float32 [3, H, W]."""
        pixels = self._preprocessing.pixels(image.convert("RGB"))
        return self._preprocessing.normalise(pixels)

    def run(self, batch: Sequence[Array] | Array) -> Array:
        """Photos to probabilities, float32 [N, C]."""
        return self._run(np.ascontiguousarray(np.stack(list(batch))))

    def answer(self, content: bytes) -> list[float]:
        """One encoded photo to its probabilities."""
        return self.run([self.prepare(content)])[0].tolist()

    def _handed(self, form: str) -> Callable[[Array], Array]:
        from phytoflow.inference.runtimes.factory import open_runtime

        runtime = open_runtime(form, self._bundle, threads=1)  # type: ignore[arg-type]
        temperature = self._bundle.manifest.temperature
        return lambda batch: runtime.run(batch).calibrated(temperature)


def _documented(form: str) -> bool:
    return form in ("eager", "torchscript")


def _torch(arguments: Arguments, threads: int) -> Callable[[Array], Array]:
    import torch

    if threads:
        torch.set_num_threads(threads)
    torch._C._jit_set_profiling_executor(False)
    if arguments.form == "eager":
        from phytoflow.models.checkpoint import load_trained

        model: Any = load_trained(arguments.work / "model").model.eval()
    else:
        model = torch.jit.load(str(arguments.work / "bundle" / "model.torchscript.pt")).eval()

    def run(batch: Array) -> Array:
        with torch.inference_mode():
            found = model(torch.from_numpy(batch))
            return torch.softmax(found[0] if isinstance(found, tuple) else found, dim=1).numpy()

    return run
