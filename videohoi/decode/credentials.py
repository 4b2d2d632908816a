"""Keeps passwords of stream addresses out of names, messages and reports."""

from __future__ import annotations

import re

SECRET_OPTION = re.compile(r"([?&;](?:[^=&;]*(?:pass|pwd|token|secret|key|auth|sig|user|login)[^=&;]*)=)[^&;#]*", re.I)
"""a query option whose name suggests a secret"""


def redact_credentials(address: str) -> str:
    """``address`` with user, password and secret query options replaced by ``***``; other text comes back as it is.

    Everything between ``://`` and the last ``@`` goes: passwords with unescaped ``/``, ``?`` or ``@`` are common, and
    hiding too much is better than too little.
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address
    host = rest.rpartition("@")[2]
    return SECRET_OPTION.sub(r"\1***", f"{scheme}://{'***@' if host != rest else ''}{host}")
