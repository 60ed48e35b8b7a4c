"""The bibliography: BibTeX entries by key, read from the papers.bib of a package."""

import re
from importlib.resources import files

from pellucid.errors import UserError


class UnknownPaper(UserError, LookupError):
    """The bibliography has no entry of this key."""


def entry(key: str, package: str = "pellucid") -> str:
    """The BibTeX entry `key` as it stands in the papers.bib of `package`.

    An entry begins at a line "@type{key," and ends at the first line that is a closing brace.

    Raises:
        UnknownPaper: no such entry.
    """
    text = files(package).joinpath("papers.bib").read_text(encoding="utf-8")
    found = re.search(rf"^@\w+{{{re.escape(key)},$.*?^}}$", text, flags=re.DOTALL | re.MULTILINE)
    if found is None:
        raise UnknownPaper(f"There is no entry '{key}' in the papers.bib of {package}; add it.")
    return found.group()
