"""phytoflow: from a folder of leaf photographs to an answering, watched, improvable service."""

__version__ = "0.1.0"
