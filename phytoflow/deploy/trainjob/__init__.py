"""Training on several machines of a cluster, as a TrainJob of Kubeflow Trainer.

The train step renders the TrainJob, submits it, follows its log, says why it does not start, and deletes it.
"""
