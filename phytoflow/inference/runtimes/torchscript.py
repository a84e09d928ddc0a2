"""TorchScript, on a GPU if there is one. The only module of the package that imports torch."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from numpy.typing import NDArray

from phytoflow.inference.runtimes.base import CPU, Outputs, Precision, RuntimeName


class TorchScriptRuntime:
    """See ``phytoflow.inference.runtimes.base.Runtime``.

    The number of threads is a setting of torch and applies to the whole process.
    """

    name: RuntimeName = "torchscript"

    def __init__(self, path: str, threads: int, concurrency: int, precision: Precision = "float32") -> None:
        torch.set_num_threads(threads)
        # The profiling executor compiles again for each new batch size.
        torch._C._jit_set_profiling_executor(False)
        torch.backends.cudnn.allow_tf32 = False  # answers must be those of the trained model
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.device = torch.cuda.get_device_name() if self._device.type == "cuda" else CPU
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch.jit is deprecated, and still the fastest that torch has
            module = torch.jit.load(path, map_location=self._device)  # type: ignore[no-untyped-call]
            self._model = module.eval()

    def run(self, tensor: NDArray[np.float32], *, exclusive: bool = False) -> Outputs:
        """Runs the model; the number of threads is the same whether exclusive or not."""
        with torch.inference_mode():
            outputs = self._model(torch.from_numpy(tensor).to(self._device))
            outputs = outputs if isinstance(outputs, tuple) else (outputs,)
            return Outputs(*(output.float().cpu().numpy() for output in outputs))
