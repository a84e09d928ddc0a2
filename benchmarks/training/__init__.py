"""Time to a given quality: two-stage training compared with end-to-end fine-tuning."""

from phytoflow.system.threads import make_idle_openmp_threads_sleep

make_idle_openmp_threads_sleep()  # before torch is imported
