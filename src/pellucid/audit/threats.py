"""What a finding stands for in the catalogues that security people use."""

from typing import NamedTuple

from pellucid.box.protocols import GradBox, LabelBox, NoBox, ScoreBox, WhiteBox


class Threat(NamedTuple):
    """Techniques of MITRE ATLAS, and entries of OWASP's Machine Learning Security Top Ten."""

    atlas: tuple[str, ...] = ()
    owasp: tuple[str, ...] = ()


NAMES = {
    "AML.T0015": "Evade AI Model",
    "AML.T0043.000": "Craft Adversarial Data: White-Box Optimization",
    "AML.T0043.001": "Craft Adversarial Data: Black-Box Optimization",
    "AML.T0043.002": "Craft Adversarial Data: Black-Box Transfer",
    "ML01:2023": "Input Manipulation Attack",
}
URLS = {
    "AML": "https://atlas.mitre.org/techniques/{id}",
    "ML": "https://owasp.org/www-project-machine-learning-security-top-10/",
}


def _crafted(how: str) -> Threat:
    return Threat(atlas=(how, "AML.T0015"), owasp=("ML01:2023",))


EVASION: dict[type, Threat] = {
    WhiteBox: _crafted("AML.T0043.000"),
    GradBox: _crafted("AML.T0043.000"),
    ScoreBox: _crafted("AML.T0043.001"),
    LabelBox: _crafted("AML.T0043.001"),
    NoBox: _crafted("AML.T0043.002"),
}
