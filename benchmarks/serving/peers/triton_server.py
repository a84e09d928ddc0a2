"""Triton, its binary taken from nvidia-pytriton, with the Python backend."""

from __future__ import annotations

import json
import os
import shutil
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

from benchmarks.serving.peers.common import Arguments

_CONFIG = """
name: "leaf"
backend: "python"
max_batch_size: 8
input [{{ name: "image" data_type: TYPE_STRING dims: [1] }}]
output [{{ name: "probabilities" data_type: TYPE_FP32 dims: [{classes}] }}]
instance_group [{{ count: {workers} kind: KIND_CPU }}]
{batching}
"""


def main(arguments: Arguments) -> None:
    """Writes the model repository and becomes the server."""
    found = find_spec("pytriton")
    assert found is not None and found.origin is not None
    home = Path(found.origin).parent / "tritonserver"
    folder = arguments.work / "triton"
    shutil.rmtree(folder, ignore_errors=True)
    repository = folder / "models"
    (repository / "leaf" / "1").mkdir(parents=True)
    (repository / "leaf" / "config.pbtxt").write_text(_config(arguments))
    shutil.copy(Path(__file__).with_name("triton_model.py"), repository / "leaf" / "1" / "model.py")
    backends = _backends(home, folder / "backends")
    options = {
        "model-repository": repository,
        "backend-directory": backends,
        "http-port": arguments.port,
        "allow-grpc": "false",
        "allow-metrics": "false",
        "log-info": "false",
        "http-address": "127.0.0.1",
    }
    os.environ |= _environment(arguments)
    binary = home / "bin" / "tritonserver"
    os.execv(binary, [str(binary), *(f"--{name}={value}" for name, value in options.items())])


def _config(arguments: Arguments) -> str:
    mapping = json.loads((arguments.work / "bundle" / "class_mapping.json").read_text())
    batching = "" if arguments.workers > 1 else "dynamic_batching { max_queue_delay_microseconds: 1000 }"
    return _CONFIG.format(classes=len(mapping), workers=arguments.workers, batching=batching)


def _backends(home: Path, folder: Path) -> Path:
    """Copies the backend, with the stub for this Python version in the folder where Triton looks for it."""
    shutil.copytree(home / "backends", folder)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = home / "python_backend_stubs" / version / "triton_python_backend_stub"
    shutil.copy(stub, folder / "python" / stub.name)
    return folder


def _environment(arguments: Arguments) -> dict[str, str]:
    bundled = Path(sysconfig.get_path("purelib")) / "nvidia_pytriton.libs"
    libraries = [sysconfig.get_config_var("LIBDIR"), str(bundled), os.environ.get("LD_LIBRARY_PATH", "")]
    return {
        "LEAF_ARGUMENTS": json.dumps({**vars(arguments), "work": str(arguments.work)}),
        "LD_LIBRARY_PATH": os.pathsep.join(filter(None, libraries)),
        "LEAF_PATH": os.pathsep.join(filter(None, sys.path)),
    }


if __name__ == "__main__":
    main(Arguments.read())
