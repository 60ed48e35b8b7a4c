"""What the page brings along: its style, its script, and plotly.js, packed."""

import base64
import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """Texts that stand in the page as they are."""

    style: str
    script: str
    plotly: str  # base64 of the gzipped source
    policy: str  # of content security: no network, and no script but these two


@cache
def bundle() -> Bundle:
    """Read and packed once a process."""
    here = files("pellucid.audit.report")
    script = (here / "script.js").read_text("utf-8")
    source = (files("plotly") / "package_data" / "plotly.min.js").read_text("utf-8")
    packed = gzip.compress(source.encode(), compresslevel=9, mtime=0)
    allowed = " ".join(f"'sha256-{_digest(text)}'" for text in (script, source))
    return Bundle(
        style=(here / "style.css").read_text("utf-8"),
        script=script,
        plotly=base64.b64encode(packed).decode("ascii"),
        policy=f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'",
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
