"""Runs of camera numbers: which neighbouring shots show one leaf.

Somebody who photographs leaves takes several shots of one, then the next: in PlantVillage three to nine,
in order of the camera's number, some numbers missing. But in its larger classes the numbers run on for
hundreds of photos without a gap. So a run is first cut at gaps; what is still longer than one leaf's
shots is cut where neighbours look least alike, which is where the leaf changes more often than not.
"""

from __future__ import annotations

import itertools
import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from phytoflow.data.ingest.scan import THUMBNAIL_SIDE

# UUID___SERIES NUMBER..., as in "uuid___FREC_Scab 3349.JPG", "uuid___GHLB2 Leaf 9017_flipLR.JPG" or
# "uuid___RS_HL_5672_final_masked.jpg": an augmented or masked copy has its original's number.
PLANTVILLAGE = re.compile(r"^[0-9a-fA-F-]{36}___(?P<series>.+?)[ _]\(?(?P<number>\d+)")

MAX_RUN = 12
_NEAR = 3
_HUES, _SATURATIONS = 24, 4
_DARK = 40  # of 255: masked background and deep shadow have no hue worth counting


def is_plantvillage(paths: pd.Series) -> bool:
    """Whether most of the file names are PlantVillage's."""
    names = paths.str.rpartition("/")[2]
    return bool(names.map(lambda name: PLANTVILLAGE.match(name) is not None).mean() > 0.5)


def cut_runs(numbers: NDArray[np.int64], thumbnails: list[bytes], gap: int) -> list[NDArray[np.int64]]:
    """Cuts one series of shots into groups that show one thing each, or a few whole ones.

    Args:
        numbers: The shots' camera numbers, in any order.
        thumbnails: Their 16 x 16 RGB bytes.
        gap: Numbers further apart than this are not one thing.

    Returns:
        Positions of each group's shots. Groups of more than ``MAX_RUN`` shots occur only where that many
        share a few numbers.
    """
    order = np.argsort(numbers, kind="stable")
    steps = np.diff(numbers[order])
    change = _change(np.array([_colours(thumbnails[at]) for at in order]))
    change[steps == 0] = -1  # copies of one shot stay together
    runs = np.split(np.arange(len(order)), np.nonzero(steps > gap)[0] + 1)
    return [order[piece] for run in runs for piece in _pieces(run, change)]


def _change(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    """How unlike the shots before and after each of the N - 1 gaps are, 0 to 1 [N - 1].

    It is the least squared Hellinger distance between any of the three before and any of the three after:
    one shot of a leaf in another light is no new leaf.
    """
    photos = len(colours)
    like = np.zeros(photos - 1)
    for before, after in itertools.product(range(_NEAR), range(1, _NEAR + 1)):
        apart = before + after
        products = (colours[: max(0, photos - apart)] * colours[apart:]).sum(axis=1)
        at = slice(before, before + len(products))
        like[at] = np.maximum(like[at], products)
    return 1 - like


def _pieces(run: NDArray[np.int64], change: NDArray[np.float64]) -> list[NDArray[np.int64]]:
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


def _colours(thumbnail: bytes) -> NDArray[np.float64]:
    """Square root of the histogram of hue and saturation [96]: it does not mind how the leaf was turned."""
    image = Image.frombytes("RGB", (THUMBNAIL_SIDE, THUMBNAIL_SIDE), thumbnail).convert("HSV")
    hue, saturation, value = np.asarray(image, dtype=np.int64).reshape(-1, 3).T
    cell = (hue * _HUES // 256) * _SATURATIONS + saturation * _SATURATIONS // 256
    counts = np.bincount(cell[value > _DARK], minlength=_HUES * _SATURATIONS)
    return np.sqrt(counts / max(1, counts.sum()))
