"""Run settings: the aggregate, presets and the loader."""
