"""The on-disk format of a prepared dataset, its reader and its loader."""
