"""Facts about the host: CPUs, GPUs, memory, ports, threads, terminal."""
