"""The pieces of the predictor's scheduling, by the names that the command line gives them."""

PIECES = {
    "linger": "waiting for closed-loop clients",
    "desynchronise": "desynchronised quotas",
    "quota": "a quota of all photos instead of one batch",
    "pinning": "pinning saturated workers to CPUs",
    "waking": "waking the event loop on the worker's CPU",
    "fast_path": "infer requests past ASGI",
    "models": "OpenVINO: a model for each of two workers",
}
