"""Where the evidence lies: a heat map as a small transparent PNG, laid over the photo."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

_COLOR = (214, 64, 38)
_SIDE = 112  # pixels; the browser enlarges it smoothly
_MOST_OPAQUE = 210


def heat_uri(explanation: list[list[float]]) -> str:
    """A ``data:`` URI of the heat map.

    Args:
        explanation: Evidence by place, float [h][w] in 0..1.
    """
    strength = np.clip(np.asarray(explanation, np.float32), 0, 1)
    alpha = Image.fromarray((strength * _MOST_OPAQUE).astype(np.uint8)).resize(
        (_SIDE, _SIDE), Image.Resampling.BICUBIC
    )
    picture = Image.new("RGBA", (_SIDE, _SIDE), (*_COLOR, 0))
    picture.putalpha(alpha)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
