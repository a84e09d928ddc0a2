"""KServe predictor: the V2 and V1 protocols over REST and gRPC in front of ``phytoflow.inference``."""

import os

# Workers provide the parallelism. Idle BLAS threads spin and were using 75% of the CPU, so BLAS is limited to
# one thread. numpy reads this when it is first imported, which is after this line.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
