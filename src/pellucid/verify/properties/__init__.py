"""Properties of networks, as VNN-LIB says them: read, falsified and proven."""
