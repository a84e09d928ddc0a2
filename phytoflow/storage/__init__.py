"""The only place that talks to object storage, and how files are written whole."""
