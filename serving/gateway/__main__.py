"""``python -m serving.gateway``: the gateway's processes and its small administrative commands."""

from serving.gateway.command import app

if __name__ == "__main__":
    app()
