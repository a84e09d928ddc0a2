"""One module per pipeline step, named like its KFP component.

Each step is one call: settings and folders in, a folder out. Components and the command line both call these,
so that a step alone does what it does in the pipeline. Settings arrive as the JSON of their sections. Heavy
libraries are imported by the step that needs them.
"""

STEPS = ("configure", "preprocess", "train", "export", "evaluate", "gate", "register", "publish")
"""The steps that lead to an answering predictor, in their order; ``finish`` runs however a run ends."""
