"""TorchScript: on a GPU where there is one, otherwise on the CPU. The only module here that imports torch."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from numpy.typing import NDArray

from phytoflow.inference.runtimes.base import CPU, Outputs, Precision, RuntimeName


class TorchScriptRuntime:
    """See ``phytoflow.inference.runtimes.factory.Runtime``.

    The number of threads is torch's own and so holds for the whole process.
    """

    name: RuntimeName = "torchscript"

    def __init__(self, path: str, threads: int, concurrency: int, precision: Precision = "float32") -> None:
        torch.set_num_threads(threads)
        # The profiling executor compiles anew for each batch size it meets.
        torch._C._jit_set_profiling_executor(False)
        torch.backends.cudnn.allow_tf32 = False  # answers must be those of the trained model
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.device = torch.cuda.get_device_name() if self._device.type == "cuda" else CPU
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch.jit is deprecated, and still the fastest of torch's forms
            module = torch.jit.load(path, map_location=self._device)  # type: ignore[no-untyped-call]
            self._model = module.eval()

    def run(self, tensor: NDArray[np.float32], *, exclusive: bool = False) -> Outputs:
        """Runs the model, with the same threads whether exclusive or not."""
        with torch.inference_mode():
            found = self._model(torch.from_numpy(tensor).to(self._device))
            found = found if isinstance(found, tuple) else (found,)
            return Outputs(*(output.float().cpu().numpy() for output in found))
