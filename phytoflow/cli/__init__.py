"""The `phytoflow` command."""
