"""The loop and its schedules.

OpenMP's threads must sleep while they wait: by default they spin, and where anything else wants the cores
(a container's quota, a second process) a training step took five times longer on two cores. The variable is
read when torch is first loaded, hence here.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
