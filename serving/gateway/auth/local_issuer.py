"""The issuer of a laptop: one Ed25519 key in the gateway's directory signs tokens for its users."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from phytoflow.errors import StorageError
from serving.gateway.auth.private_file import read_or_make

AUDIENCE = "phytoflow-gateway"
_FILE = "issuer.json"
_DAY = 86400


@dataclass(frozen=True)
class LocalIssuer:
    """Signs and names the tokens of this machine.

    Attributes:
        issuer: Value of the claim ``iss``; every directory has its own.
        key_id: Id of the key.
        private_key: The key.
    """

    issuer: str
    key_id: str
    private_key: Ed25519PrivateKey

    @staticmethod
    def exists(directory: Path) -> bool:
        """Whether a folder has one: it is that of a gateway."""
        return (directory / _FILE).is_file()

    @classmethod
    def open(cls, directory: Path) -> LocalIssuer:
        """Reads the issuer's file, or makes it, readable for its owner only; raises StorageError."""
        path = directory / _FILE
        try:
            fields = json.loads(read_or_make(path, _make))
            key = serialization.load_pem_private_key(fields["private_key"].encode(), None)
        except (OSError, ValueError, KeyError) as error:
            remedy = f"make {directory} writable, or remove {path} to start anew (all tokens become invalid)"
            raise StorageError(f"cannot use the local issuer {path}: {error}", remedy=remedy) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise StorageError(f"{path} holds no Ed25519 key", remedy=f"remove {path} to start anew")
        return cls(fields["issuer"], fields["key_id"], key)

    def token(self, user: str, scopes: Iterable[str], *, seconds: int = 30 * _DAY, name: str = "") -> str:
        """A signed token for a user."""
        return self._sign(user, AUDIENCE, seconds, {"scope": " ".join(scopes), "name": name or user})

    def one_time_code(self, user: str, scopes: Iterable[str], seconds: int = 600) -> str:
        """A code that signs a browser in once; not accepted as a token, its audience is another."""
        claims = {"scope": " ".join(scopes), "name": user, "jti": secrets.token_urlsafe(16)}
        return self._sign(user, AUDIENCE + "/sign-in", seconds, claims)

    def read_one_time_code(self, code: str) -> dict[str, object]:
        """The claims of a one-time code; raises jwt.InvalidTokenError. The caller remembers its ``jti``."""
        return jwt.decode(
            code,
            self.private_key.public_key(),
            algorithms=["EdDSA"],
            audience=AUDIENCE + "/sign-in",
            issuer=self.issuer,
            options={"require": ["exp", "iat", "sub", "jti"]},
        )

    def _sign(self, user: str, audience: str, seconds: int, claims: dict[str, str]) -> str:
        now = int(time.time())
        claims = claims | {"iss": self.issuer, "sub": user, "aud": audience}
        times = {"iat": now, "exp": now + seconds}
        return jwt.encode(claims | times, self.private_key, algorithm="EdDSA", headers={"kid": self.key_id})


def _make() -> str:
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    fields = {
        "issuer": f"urn:phytoflow:local:{secrets.token_hex(8)}",
        "key_id": secrets.token_hex(8),
        "private_key": pem.decode(),
    }
    return json.dumps(fields)
