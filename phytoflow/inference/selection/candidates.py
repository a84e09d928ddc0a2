"""Candidates for running a bundle on this machine: runtimes and precisions."""

from __future__ import annotations

from typing import Literal, NamedTuple

from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import BundleError
from phytoflow.inference.runtimes.base import Precision, RuntimeName
from phytoflow.inference.runtimes.factory import check_precision, usable
from phytoflow.system.cpu import has_bf16
from phytoflow.system.gpu import has_gpu


class Candidate(NamedTuple):
    """A runtime and a precision."""

    name: RuntimeName
    precision: Precision = "float32"

    def __str__(self) -> str:
        return self.name if self.precision == "float32" else f"{self.name} in {self.precision}"


def list_candidates(
    bundle: Bundle, runtime: RuntimeName | None, precision: Precision | Literal["auto"]
) -> tuple[Candidate, ...]:
    """Lists the candidates, float32 first: the others are compared with it.

    Args:
        bundle: The bundle.
        runtime: The only runtime, or None for all that are installed.
        precision: One precision, or ``auto`` for those that are fast on this CPU and in the bundle.

    Raises:
        BundleError: The bundle has no such model, or none that an installed runtime can load.
        ServingError: This machine or the runtime does not support the precision.
    """
    if precision == "bf16":
        check_precision(runtime or "openvino", "bf16")
        return (Candidate(runtime or "openvino", "bf16"),)
    if precision == "int8":
        return _list_int8(bundle, runtime)
    candidates = [Candidate(name) for name in ([runtime] if runtime else _usable_runtimes(bundle))]
    if precision == "auto" and has_bf16() and any(each.name == "openvino" for each in candidates):
        candidates.append(Candidate("openvino", "bf16"))
    if precision == "auto" and "int8" in bundle.manifest.models:
        candidates += [Candidate(c.name, "int8") for c in candidates if usable(c.name, bundle, "int8")]
    return tuple(dict.fromkeys(candidates))


def _list_int8(bundle: Bundle, runtime: RuntimeName | None) -> tuple[Candidate, ...]:
    if runtime:
        check_precision(runtime, "int8")
    if "int8" not in bundle.manifest.models:
        report = bundle.manifest.int8
        why = f"it was rejected: {report.rejection_reason}" if report else "export.int8 was off"
        raise BundleError(f"{bundle.path} has no int8 model; {why}", remedy="choose float32")
    names: tuple[RuntimeName, ...] = (runtime,) if runtime else _usable_runtimes(bundle)
    return tuple(Candidate(name, "int8") for name in names if usable(name, bundle, "int8"))


def _usable_runtimes(bundle: Bundle) -> tuple[RuntimeName, ...]:
    light: tuple[RuntimeName, ...] = ("onnx", "openvino")
    names = tuple(name for name in light if usable(name, bundle))
    if usable("torchscript", bundle) and (has_gpu() or not names):
        names += ("torchscript",)
    if names:
        return names
    remedy = "pip install onnxruntime, or torch for a bundle that has TorchScript only"
    raise BundleError(f"no installed runtime can load the models of {bundle.path}", remedy=remedy)
