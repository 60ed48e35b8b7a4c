"""One file a rival: how its own documentation says its attacks are run."""
