"""Time to a quality: this project's two stages against end-to-end fine-tuning."""

from phytoflow.system.threads import make_idle_openmp_threads_sleep

make_idle_openmp_threads_sleep()  # before torch is imported
