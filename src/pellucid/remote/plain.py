"""A stranger's text, made fit for a sentence on a terminal."""

MOST = 200  # characters


def plain(text: str) -> str:
    """The text on one line, cut to 200 characters, without any that move a cursor."""
    line = " ".join(text[: 10 * MOST].split())
    return "".join(c for c in line if c.isprintable())[:MOST]
