"""Which hosts are reached directly and which through the proxy of HTTP_PROXY.

A proxy cannot reach the loopback interface of this machine, and rarely the Services and pods of a cluster.
Requests to them are sent directly, whatever HTTP_PROXY and NO_PROXY say.
"""

from __future__ import annotations

import ipaddress
import os
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

DIRECT_HOSTS = ("localhost", "127.0.0.1", "::1", ".svc", ".cluster.local")
"""Entries that every library understands in NO_PROXY: names, addresses and suffixes."""

_GRPC_VARIABLES = ("grpc_proxy", "https_proxy", "http_proxy")  # gRPC's own order of precedence


def is_direct(host: str) -> bool:
    """Whether a host is reached without a proxy.

    Args:
        host: Name or address; an IPv6 address with or without brackets.

    Returns:
        True for loopback and other private addresses, names without a dot, ``*.localhost``, ``*.svc``,
        ``*.svc.DOMAIN`` and ``*.cluster.local``.
    """
    name = host.strip("[]").rstrip(".").lower()
    try:
        return not ipaddress.ip_address(name.partition("%")[0]).is_global
    except ValueError:  # a name
        labels = name.split(".")
    is_local = len(labels) == 1 or labels[-1] == "localhost"
    return is_local or "svc" in labels[1:] or labels[-2:] == ["cluster", "local"]


def http_proxy_of(url: str) -> str | None:
    """The proxy that requests to a URL go through, without credentials; None: they go directly."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_direct(host) or proxy_bypass(host):
        return None
    proxies = getproxies()
    return _without_credentials(proxies.get(parts.scheme) or proxies.get("all"))


def grpc_proxy_of(host: str) -> str | None:
    """The proxy that a gRPC channel to a host goes through, without credentials; None: it goes directly."""
    if is_direct(host) or proxy_bypass(host):
        return None
    return _without_credentials(next(filter(None, map(os.environ.get, _GRPC_VARIABLES)), None))


def exempt_direct_hosts() -> None:
    """Adds ``DIRECT_HOSTS`` and the cluster's API server to NO_PROXY of this process and its children.

    This covers libraries that read the environment by themselves, such as those of MLflow and Kubernetes.
    """
    if not getproxies():
        return
    hosts = [*DIRECT_HOSTS, os.environ.get("KUBERNETES_SERVICE_HOST", "")]
    present = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    entries = [entry.strip() for entry in present.split(",")] + hosts
    joined = ",".join(dict.fromkeys(filter(None, entries)))
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = joined  # libraries differ in which of them they read


def _without_credentials(proxy: str | None) -> str | None:
    if not proxy:
        return None
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
