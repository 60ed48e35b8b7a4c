"""One thread a test process: two processes run at once, and waiting threads spin."""

import torch

torch.set_num_threads(1)
