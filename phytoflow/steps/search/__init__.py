"""The steps of a search on Kubeflow Pipelines: several workers share one study, and one step concludes it."""
