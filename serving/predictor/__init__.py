"""The KServe predictor: V2 and V1, REST and gRPC, over phytoflow.inference."""

import os

# Lanes are the parallelism. BLAS threads beside them, spinning while they wait for a photo's few rows, took
# three quarters of the machine. Read when numpy is first imported, which is after this.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
