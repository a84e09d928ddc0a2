"""The depth of samples that a whole data set uses, for photos whose files state none."""

from __future__ import annotations

import pandas as pd


def find_sample_bits(table: pd.DataFrame) -> int | None:
    """Finds the bits of samples that the data set's photos use in files of more than 8 bits a sample.

    One dark photo does not show how bright its camera's white is; all photos together do.

    Args:
        table: Usable photos with ``used_bits`` and ``stated_bits``.

    Returns:
        The depth of the deepest photo whose file states none; None: there is no such photo.
    """
    rows = _of_unknown_depth(table)
    return int(rows["used_bits"].max()) if len(rows) else None


def rescale_brightness(table: pd.DataFrame) -> pd.DataFrame:
    """Corrects the brightness of photos that were measured by their own samples to the data set's depth."""
    bits, rows = find_sample_bits(table), _of_unknown_depth(table)
    if bits is None:
        return table
    own = 2.0 ** rows["used_bits"] - 1
    brightness = table["brightness"].copy()
    brightness[rows.index] = (rows["brightness"] * own / (2**bits - 1)).round(4)
    return table.assign(brightness=brightness)


def _of_unknown_depth(table: pd.DataFrame) -> pd.DataFrame:
    return table[(table["used_bits"] > 0) & (table["stated_bits"] == 0)]
