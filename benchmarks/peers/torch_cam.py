"""torch-cam 0.5.0: maps of one layer, of as many rows as there are in a pass."""

from torch.nn import functional
from torchcam.methods import GradCAM, GradCAMpp

from benchmarks import explain_worker
from benchmarks.explain_worker import Explain, Images, Job, Outcome, Prepare
from benchmarks.worker import Counted


def maps(kind: type[GradCAM | GradCAMpp]) -> Prepare:
    def prepare(job: Job, module: Counted) -> Explain:
        tool = kind(module, f"module.{job.layer}")

        def ask(images: Images) -> Outcome:
            scores = module(images.x)
            (low,) = tool(images.y.tolist(), scores, normalized=False)
            size = tuple(images.x.shape[-2:])
            high = functional.interpolate(low[:, None], size, mode="bilinear")
            return Outcome(values=high.detach())

        return ask

    return prepare


EXPLAINERS = {"grad-cam": maps(GradCAM), "grad-cam-plus-plus": maps(GradCAMpp)}

if __name__ == "__main__":
    explain_worker.main(EXPLAINERS, "torchcam")
