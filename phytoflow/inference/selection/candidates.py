"""Which ways there are to run a bundle on this machine."""

from __future__ import annotations

from typing import Literal, NamedTuple

from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import BundleError
from phytoflow.inference.runtimes.base import Precision, RuntimeName
from phytoflow.inference.runtimes.factory import check_precision, usable
from phytoflow.system.cpu import has_bf16
from phytoflow.system.gpu import has_gpu


class Candidate(NamedTuple):
    """A way to run a bundle: more forms of a model, or precisions, are more candidates."""

    name: RuntimeName
    precision: Precision = "float32"

    def __str__(self) -> str:
        return self.name if self.precision == "float32" else f"{self.name} in {self.precision}"


def candidates(
    bundle: Bundle, asked: RuntimeName | None, precision: Precision | Literal["auto"]
) -> tuple[Candidate, ...]:
    """All that could be taken, float32 first where others are compared with it.

    Args:
        bundle: The model.
        asked: The only runtime, or None for those installed.
        precision: One, or ``auto`` for those the CPU is quick at and the bundle has.

    Raises:
        BundleError: The bundle has no such form, or none that an installed runtime loads.
        ServingError: This machine or the runtime does not have the precision.
    """
    if precision == "bf16":
        check_precision(asked or "openvino", "bf16")
        return (Candidate(asked or "openvino", "bf16"),)
    if precision == "int8":
        return _int8(bundle, asked)
    found = [Candidate(name) for name in ([asked] if asked else _usable(bundle))]
    if precision == "auto" and has_bf16() and any(each.name == "openvino" for each in found):
        found.append(Candidate("openvino", "bf16"))
    if precision == "auto" and "int8" in bundle.manifest.models:
        found += [Candidate(each.name, "int8") for each in found if usable(each.name, bundle, "int8")]
    return tuple(dict.fromkeys(found))


def _int8(bundle: Bundle, asked: RuntimeName | None) -> tuple[Candidate, ...]:
    if asked:
        check_precision(asked, "int8")
    if "int8" not in bundle.manifest.models:
        tried = bundle.manifest.int8
        why = f"it was refused: {tried.rejection_reason}" if tried else "export.int8 was off"
        raise BundleError(f"{bundle.path} has no int8 model; {why}", remedy="choose float32")
    names: tuple[RuntimeName, ...] = (asked,) if asked else _usable(bundle)
    return tuple(Candidate(name, "int8") for name in names if usable(name, bundle, "int8"))


def _usable(bundle: Bundle) -> tuple[RuntimeName, ...]:
    light: tuple[RuntimeName, ...] = ("onnx", "openvino")
    found = tuple(name for name in light if usable(name, bundle))
    if usable("torchscript", bundle) and (has_gpu() or not found):
        found += ("torchscript",)
    if found:
        return found
    remedy = "pip install onnxruntime, or torch for a bundle that has TorchScript only"
    raise BundleError(f"no installed runtime can load the models of {bundle.path}", remedy=remedy)
