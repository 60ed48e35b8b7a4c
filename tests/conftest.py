"""One thread a test process, since waiting threads spin; and Ctrl-C for what tests start."""

import signal

import torch

torch.set_num_threads(1)


def pytest_configure():
    """Let Ctrl-C reach the programs that tests start.

    What a shell starts in the background may be told to ignore it, and hands that down.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
