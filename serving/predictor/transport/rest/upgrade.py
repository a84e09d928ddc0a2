"""uvicorn's HTTP/1.1 protocol for clients that offer to switch to another protocol.

Java's HttpClient and ``curl --http2`` send ``Upgrade: h2c`` with every first request of a connection, its
body included. A server may ignore the offer and answer over HTTP/1.1 (RFC 9110, section 7.8). httptools
however stops parsing behind the headers, and uvicorn drops the body.
"""

from __future__ import annotations

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_OFFER = {b"upgrade", b"http2-settings"}  # of headers, and of the tokens of Connection


class UpgradeIgnoringProtocol(HttpToolsProtocol):
    """Handles a request with an ``Upgrade`` header as if it had none."""

    def data_received(self, data: bytes) -> None:
        """Parses what the client sent."""
        self._unset_keepalive_if_required()
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response("Invalid HTTP request received.")

    def on_headers_complete(self) -> None:
        """Begins the request, unless it will be parsed again without the offer."""
        if not self.parser.should_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Ends the request, unless it will be parsed again without the offer."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self.parser.get_method() == b"CONNECT":  # a proxy's method, which always "upgrades"
                raise httptools.HttpParserError("CONNECT is not supported") from None
            (end_of_headers,) = upgrade.args
            head = self._head_without_offer()
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn sets it
            self._parse(head + data[end_of_headers:])

    def _head_without_offer(self) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, version)]
        for name, value in self.headers:
            if name == b"connection":
                tokens = [token.strip() for token in value.split(b",")]
                value = b", ".join(token for token in tokens if token.lower() not in _OFFER)
            if name not in _OFFER and value:
                lines.append(b"%b: %b" % (name, value))
        return b"\r\n".join([*lines, b"", b""])
