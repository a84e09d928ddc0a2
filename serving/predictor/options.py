"""The predictor's command line."""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields, replace

from phytoflow.data.images.limits import MAX_BYTES, MAX_PIXELS, MIN_SIDE, LimitNames, Limits
from phytoflow.protocol.constants import MAX_PHOTOS_PER_REQUEST
from phytoflow.system.cpu import cpu_count

_CHOICES = {
    "runtime": ["auto", "onnx", "openvino", "torchscript"],
    "precision": ["auto", "float32", "bf16", "int8"],
    "model_control_mode": ["explicit", "none"],
    "log_features": ["yes", "no"],
    "log_level": ["DEBUG", "INFO", "WARNING", "ERROR"],
}
_LIMIT_NAMES = LimitNames("--max_photo_bytes", "--max_pixels", "--min_side")


@dataclass(frozen=True)
class Options:
    """How to serve. Each field is a command-line option of the same name.

    Attributes:
        bundle: Folder or URI of the bundle.
        bundle_repository: Folder or URI of further bundles that clients may load by name; empty: none.
        model_control_mode: explicit: anyone who reaches the port may load, swap and unload versions; none:
            nobody may.
        host: Address to listen on; localhost: this machine only; :: all IPv4 and IPv6 addresses; 0.0.0.0: all
            IPv4 addresses.
        http_port: REST port; 0: a free one.
        grpc_port: gRPC port; 0: a free one.
        model_name: Name in URLs; empty: the bundle's own.
        runtime: auto, onnx, openvino or torchscript.
        precision: float32; bf16 or int8: if available and the probe photos agree; auto: the fastest of them.
        inference_threads: Worker threads, each running one batch at a time; 0: one per CPU of the container.
        max_batch_size: Maximum batch size; 0: measured at startup, up to 8.
        max_batch_delay_ms: Maximum wait of a photo for a fuller batch while another worker is busy.
        max_queue_size: Maximum queued photos; beyond it requests are refused with 503.
        max_photos_per_request: Maximum photos in one request.
        max_photo_bytes: Maximum encoded size of one photo.
        max_pixels: Maximum width times height of one photo; less for formats whose decoders need more memory.
        min_side: Minimum of width and height of one photo, pixels.
        max_body_bytes: Maximum size of one request, decompressed.
        max_in_flight_bytes: Maximum size of all requests in progress; beyond it they are refused with 503.
        grace_period_seconds: Maximum time for requests in progress after a signal to stop.
        log_url: URL of a gateway whose prediction log gets the predictions of all other callers; empty: none.
        log_token_file: File with a token or API key of scope log, for log_url.
        log_features: Whether that log also gets the network's features of each photo, to detect drift.
        log_level: Lowest level logged; WARNING leaves out the line for each request.
    """

    bundle: str
    bundle_repository: str = ""
    model_control_mode: str = "none"
    host: str = "localhost"
    http_port: int = 8080
    grpc_port: int = 8081
    model_name: str = ""
    runtime: str = "auto"
    precision: str = "float32"
    inference_threads: int = 0
    max_batch_size: int = 0
    max_batch_delay_ms: int = 0
    max_queue_size: int = 256
    max_photos_per_request: int = MAX_PHOTOS_PER_REQUEST
    max_photo_bytes: int = MAX_BYTES
    max_pixels: int = MAX_PIXELS
    min_side: int = MIN_SIDE
    max_body_bytes: int = 88 * 2**20  # the largest photo in base64, with room for the JSON around it
    max_in_flight_bytes: int = 192 * 2**20
    grace_period_seconds: int = 25
    log_url: str = ""
    log_token_file: str = ""
    log_features: str = "no"
    log_level: str = "INFO"

    @property
    def photo_limits(self) -> Limits:
        """Limits on one photo."""
        return Limits(self.max_photo_bytes, self.max_pixels, self.min_side, _LIMIT_NAMES)


@dataclass(frozen=True)
class OptionReference:
    """One option of the command line.

    Attributes:
        name: Without the dashes.
        type: Of its value; an integer is never negative.
        default: Its value if it is not given; None if it must be given.
        choices: Allowed values; empty: any of this type.
        help: One sentence.
    """

    name: str
    type: type[str] | type[int]
    default: str | int | None
    choices: tuple[str, ...]
    help: str


def option_references() -> list[OptionReference]:
    """Returns all options in the order of ``Options``, to generate command lines from."""
    return [
        OptionReference(
            name=field.name,
            type=str if field.type == "str" else int,
            default=None if field.default is MISSING else field.default,
            choices=tuple(_CHOICES.get(field.name, ())),
            help=_help(field.name),
        )
        for field in fields(Options)
    ]


def read_options(arguments: Sequence[str]) -> Options:
    """Parses a command line; exits with a usage message if it is wrong."""
    parser = argparse.ArgumentParser(prog="python -m serving.predictor", description=__doc__)
    for option in option_references():
        parser.add_argument(
            f"--{option.name}",
            type=_natural if option.type is int else str,
            default=option.default,
            required=option.default is None,
            choices=option.choices or None,
            help=option.help.replace("%", "%%"),
        )
    options = Options(**vars(parser.parse_args(arguments)))
    return options if options.inference_threads else replace(options, inference_threads=cpu_count())


def _natural(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{value} is negative")
    return value


def _help(name: str) -> str:
    """The description of a field in the docstring of ``Options``."""
    _, _, text = inspect.cleandoc(Options.__doc__ or "").partition(f"\n    {name}: ")
    return " ".join(re.split(r"\n    \w+: ", text)[0].split())
