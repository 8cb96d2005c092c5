"""The data of a page that shows more than a reader wants to load: JSON, compressed inside it, and out again.

A browser opens it with its own DecompressionStream; whoever checks a page opens it here.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
import zlib
from typing import Any

from markupsafe import Markup

# A page of this project comes to a few megabytes; a stranger's may be made to come to any size.
_MOST_BYTES = 2**28
_ELEMENT = re.compile(rb'<script type="application/gzip"([^>]*)>([A-Za-z0-9+/=]*)</script>')


def packed(data: Any) -> Markup:
    """Of a script element of type application/gzip. The same for the same data and the same zlib."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return Markup(base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode())


def opened(page: bytes) -> bytes:
    """A page with its data as plain JSON, on the line on which it was. A page without, or whose data cannot be opened,
    is left as it is."""

    def plain(found: re.Match[bytes]) -> bytes:
        try:
            stream = zlib.decompressobj(wbits=31)  # a gzip header
            data = stream.decompress(base64.b64decode(found[2], validate=True), _MOST_BYTES)
        except (binascii.Error, zlib.error):
            return found[0]
        whole = stream.eof and not stream.unused_data and b"\n" not in data
        return b'<script type="application/json"%b>%b</script>' % (found[1], data) if whole else found[0]

    return _ELEMENT.sub(plain, page)
