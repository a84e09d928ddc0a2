"""Runs of camera numbers: tells which neighbouring shots show one leaf.

A photographer takes several shots of one leaf, then of the next: in PlantVillage three to nine, in the order
of the camera's numbers, of which some are missing. In its larger classes the numbers run on for hundreds of
photos without a gap. A run is therefore first cut at gaps. What is still longer than the shots of one leaf is
cut where neighbours look least alike, because that is where the leaf changes most often.
"""

from __future__ import annotations

import itertools
import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from phytoflow.data.ingest.scan import THUMBNAIL_SIDE

# UUID___SERIES NUMBER, as in "uuid___FREC_Scab 3349.JPG", "uuid___GHLB2 Leaf 9017_flipLR.JPG" or
# "uuid___RS_HL_5672_final_masked.jpg": an augmented or masked copy has its original's number.
PLANTVILLAGE = re.compile(r"^[0-9a-fA-F-]{36}___(?P<series>.+?)[ _]\(?(?P<number>\d+)")

MAX_RUN = 12  # shots; a longer run shows several leaves
_NEAR = 3  # shots compared on each side of a gap; also the fewest shots of a piece
_HUES, _SATURATIONS = 24, 4  # bins of the colour histogram
_DARK = 40  # of 255: masked background and deep shadow have no hue worth counting


def is_plantvillage(paths: pd.Series) -> bool:
    """Tells whether most of the file names are PlantVillage's; of none they are not."""
    named = [PLANTVILLAGE.match(path.rpartition("/")[2]) is not None for path in paths]
    return sum(named) > len(named) / 2


def cut_runs(numbers: NDArray[np.int64], thumbnails: list[bytes], gap: int) -> list[NDArray[np.int64]]:
    """Cuts one series of shots into groups; a group shows one thing, or all shots of a few things.

    Args:
        numbers: int64 [N], the shots' camera numbers, in any order.
        thumbnails: Their RGB bytes at 16 x 16 pixels.
        gap: Shots whose numbers are further apart than this show different things.

    Returns:
        Positions of each group's shots. A group has more than ``MAX_RUN`` shots only if that many share a few
        numbers.
    """
    order = np.argsort(numbers, kind="stable")
    steps = np.diff(numbers[order])
    change = _measure_change(np.array([_describe_colours(thumbnails[at]) for at in order]))
    change[steps == 0] = -1  # copies of one shot stay together
    runs = np.split(np.arange(len(order)), np.nonzero(steps > gap)[0] + 1)
    return [order[piece] for run in runs for piece in _cut(run, change)]


def _measure_change(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Measures how unlike the shots before and after each gap are, float64 [N - 1], 0 to 1.

    It is the smallest squared Hellinger distance between any of the three shots before and any of the three
    after: one shot of a leaf in another light does not make a new leaf.
    """
    photos = len(colours)
    like = np.zeros(photos - 1)
    for before, after in itertools.product(range(_NEAR), range(1, _NEAR + 1)):
        apart = before + after
        products = (colours[: max(0, photos - apart)] * colours[apart:]).sum(axis=1)
        at = slice(before, before + len(products))
        like[at] = np.maximum(like[at], products)
    return 1 - like


def _cut(run: NDArray[np.int64], change: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Cuts a run in two at its greatest change until every piece is short enough."""
    done, waiting = [], [run]
    while waiting:
        run = waiting.pop()
        inner = change[run[_NEAR - 1 : -_NEAR]]  # no piece of fewer than three shots
        if len(run) <= MAX_RUN or inner.max() < 0:
            done.append(run)
        else:
            cut = int(inner.argmax()) + _NEAR
            waiting += [run[cut:], run[:cut]]
    return done


def _describe_colours(thumbnail: bytes) -> NDArray[np.float64]:
    """Square root of the histogram of hue and saturation, float64 [96]; it ignores how the leaf is turned."""
    image = Image.frombytes("RGB", (THUMBNAIL_SIDE, THUMBNAIL_SIDE), thumbnail).convert("HSV")
    hue, saturation, value = np.asarray(image, dtype=np.int64).reshape(-1, 3).T
    cell = (hue * _HUES // 256) * _SATURATIONS + saturation * _SATURATIONS // 256
    counts = np.bincount(cell[value > _DARK], minlength=_HUES * _SATURATIONS)
    return np.sqrt(counts / max(1, counts.sum()))
