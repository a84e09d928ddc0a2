"""Time to a quality: this project's two stages against end-to-end fine-tuning."""

import phytoflow.training  # noqa: F401  (settles how OpenMP's threads wait, before torch is imported)
