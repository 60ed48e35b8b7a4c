"""lime 0.2.0.1: one image at a time, in three channels; its kernel is the root of ours."""

from math import sqrt

import numpy as np
import torch
from lime.lime_image import LimeImageExplainer
from numpy.typing import NDArray

from benchmarks import explain_worker
from benchmarks.explain_worker import Explain, Images, Job, Outcome, log_probabilities
from benchmarks.worker import BATCH, Counted

WIDTH = 0.25 / sqrt(2)  # so that its root of exp(-D^2 / width^2) is exp(-D^2 / 0.25^2)


def lime(job: Job, module: Counted) -> Explain:
    ask_model = log_probabilities(module)

    def explain(images: Images) -> Outcome:
        channels, height, width = images.x.shape[1:]
        segments = images.parts.reshape(height, width).numpy()
        tool = LimeImageExplainer(WIDTH, feature_selection="none", random_state=job.seed)

        @torch.no_grad()
        def classify(batch: NDArray) -> NDArray:
            shown = torch.from_numpy(np.ascontiguousarray(batch.transpose(0, 3, 1, 2)))
            return ask_model(shown[:, :channels]).numpy()

        found = []
        for x, y in zip(images.x.permute(0, 2, 3, 1).numpy(), images.y.tolist(), strict=True):
            said = tool.explain_instance(
                x if channels == 3 else x[..., 0],
                classify,
                labels=(y,),
                top_labels=None,
                num_samples=job.samples,
                batch_size=BATCH,
                segmentation_fn=lambda _: segments,
            )
            found.append([share for _, share in sorted(said.local_exp[y])])
        return Outcome(values=torch.tensor(found))

    return explain


if __name__ == "__main__":
    explain_worker.main({"lime": lime}, "lime")
