"""The API keeps what its OpenAPI document says, whatever is sent (schemathesis)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.services.gateway import RunningGateway

CONFIG = Path(__file__).with_name("schemathesis.toml")
EXAMPLES = 2  # of each operation; tests/slow/gateway sends more


def check_api(url: str, token: str, examples: int, seed: int = 1) -> subprocess.CompletedProcess[str]:
    """Sends valid and invalid requests to every operation, as a user who may everything."""
    command = [str(Path(sys.executable).with_name("st")), f"--config-file={CONFIG}"]
    command += ["run", f"{url}/openapi.json", "--no-color"]
    command += ["--header", f"Authorization: Bearer {token}", "--seed", str(seed)]
    command += ["--max-examples", str(examples), "--phases", "examples,coverage,fuzzing"]
    command += ["--suppress-health-check", "all", "--generation-database", "none", "--warnings", "off"]
    return subprocess.run(command, capture_output=True, text=True, timeout=1500, check=False)


def test_no_request_breaks_the_contract(gateway: RunningGateway) -> None:
    token = gateway.token("schema", "predict feedback review admin log")
    done = check_api(gateway.url, token, EXAMPLES)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
