"""Writes minimal ICC profiles of RGB colour spaces that photos name without embedding a profile."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_Matrix = NDArray[np.float64]
# Bradford's cone response, and the white of ICC's profile connection space (ICC.1:2022, annex E and 6.3.4.3).
_BRADFORD: Final = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_D50: Final = np.array([0.9642, 1.0, 0.8249])
_D65: Final = (0.3127, 0.3290)


class RgbSpace(NamedTuple):
    """An RGB colour space.

    Attributes:
        name: As the profile describes itself.
        red: Chromaticity (x, y).
        green: Chromaticity.
        blue: Chromaticity.
        gamma: Exponent of the transfer curve; None: that of sRGB.
        white: Chromaticity of white.
    """

    name: str
    red: tuple[float, float]
    green: tuple[float, float]
    blue: tuple[float, float]
    gamma: float | None = None
    white: tuple[float, float] = _D65


DISPLAY_P3: Final = RgbSpace("Display P3", (0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE_RGB: Final = RgbSpace("Adobe RGB (1998)", (0.64, 0.33), (0.21, 0.71), (0.15, 0.06), gamma=563 / 256)


def write_profile(space: RgbSpace) -> bytes:
    """The ICC profile (version 2, matrix and curves) of an RGB space."""
    red, green, blue = _to_d50(space).T
    curve = _curve(space.gamma)
    tags = {
        b"desc": _description(space.name),
        b"cprt": b"text\0\0\0\0public domain\0",
        b"wtpt": _xyz(_D50),
        **{b"rXYZ": _xyz(red), b"gXYZ": _xyz(green), b"bXYZ": _xyz(blue)},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        table += struct.pack(">4sII", name, at + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    head = struct.pack(">I4sI4s4s4s", at + len(body), bytes(4), 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + _fixed(_D50)
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + body


def _to_d50(space: RgbSpace) -> _Matrix:
    """Linear RGB to XYZ relative to D50 [3, 3]."""
    primaries = np.stack([_xyz_of(xy) for xy in (space.red, space.green, space.blue)], axis=1)
    white = _xyz_of(space.white)
    matrix = primaries * np.linalg.solve(primaries, white)
    cones = np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white))
    adapted: _Matrix = np.linalg.solve(_BRADFORD, cones @ _BRADFORD @ matrix)
    return adapted


def _xyz_of(chromaticity: tuple[float, float]) -> _Matrix:
    x, y = chromaticity
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _curve(gamma: float | None) -> bytes:
    """The transfer curve: an exponent, or sRGB's as a table of 1024 values."""
    if gamma:
        return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    x = np.linspace(0, 1, 1024)
    linear = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    return b"curv\0\0\0\0" + struct.pack(">I", len(x)) + (linear * 65535 + 0.5).astype(">u2").tobytes()


def _description(name: str) -> bytes:
    text = name.encode("ascii") + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)


def _xyz(values: _Matrix) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(values)


def _fixed(values: _Matrix) -> bytes:
    """Numbers as s15Fixed16."""
    return b"".join(struct.pack(">i", round(float(value) * 65536)) for value in values)
