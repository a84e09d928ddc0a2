"""`phytoflow monitor`."""
