"""Kubeflow Pipelines components: one file a step, one call into phytoflow each."""
