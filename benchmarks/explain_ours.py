"""Pellucid's explainers, through the door that users take."""

import torch
from torch import Tensor

import pellucid
from benchmarks import explain_worker
from benchmarks.explain_worker import Explain, Images, Job, Outcome
from benchmarks.worker import Counted
from pellucid.explain import Explainer, explain, label
from pellucid.explain.cam.grad_cam import GradCAM
from pellucid.explain.cam.grad_cam_plus_plus import GradCAMPlusPlus
from pellucid.explain.gradient.guided_backprop import GuidedBackprop
from pellucid.explain.gradient.integrated_gradients import IntegratedGradients
from pellucid.explain.gradient.smooth_grad import SmoothGrad
from pellucid.explain.perturb.kernel_shap import KernelSHAP
from pellucid.explain.perturb.lime import LIME
from pellucid.explain.perturb.occlusion import Occlusion
from pellucid.explain.perturb.shapley import Shapley

SHAPES = {"fashion-cnn": (1, 28, 28), "cifar-cnn": (3, 32, 32), "linear": (1, 28, 28)}
BY_PART = ("lime", "kernel-shap", "shapley")  # compared by the share of each part


def integrated_gradients(job: Job) -> Explainer:
    return IntegratedGradients(steps=job.samples)


def occlusion(job: Job) -> Explainer:
    side = SHAPES[job.subject][-1]
    return Occlusion(window=job.window / side, stride=job.stride / side, baseline=0.0)


def smooth_grad(job: Job) -> Explainer:
    return SmoothGrad(samples=job.samples)


def guided_backprop(_: Job) -> Explainer:
    return GuidedBackprop()


def grad_cam(job: Job) -> Explainer:
    return GradCAM(layer=f"module.{job.layer}")


def grad_cam_plus_plus(job: Job) -> Explainer:
    return GradCAMPlusPlus(layer=f"module.{job.layer}")


def lime(job: Job) -> Explainer:
    return LIME(samples=job.samples)


def kernel_shap(job: Job) -> Explainer:
    return KernelSHAP(samples=job.samples - 2)  # nobody and everybody are asked about besides


def shapley(_: Job) -> Explainer:
    return Shapley()


METHODS = {
    "integrated-gradients": integrated_gradients,
    "occlusion": occlusion,
    "smooth-grad": smooth_grad,
    "guided-backprop": guided_backprop,
    "grad-cam": grad_cam,
    "grad-cam-plus-plus": grad_cam_plus_plus,
    "lime": lime,
    "kernel-shap": kernel_shap,
    "shapley": shapley,
}


def shares(job: Job, images: Images, values: Tensor) -> Tensor:
    """What is spread over the pixels of each part, together again (n, parts)."""
    if job.method not in BY_PART:
        return values
    flat = values.sum(1).flatten(1)
    index = images.parts.expand(len(flat), -1)
    return torch.zeros(len(flat), images.players).scatter_add(1, index, flat)


def prepare(job: Job, module: Counted) -> Explain:
    method = METHODS[job.method](job)
    # the method is shown no more of it than its signature names
    box = pellucid.open(module, access="white", shape=SHAPES[job.subject], emits="logits")

    def ask(images: Images) -> Outcome:
        said = explain(method, box, images.x, label(images.y), seed=job.seed, progress=False)
        return Outcome(
            values=said.values,
            asked=(int(said.queries.sum()), int(said.gradients.sum())),
        )

    return ask


if __name__ == "__main__":
    explain_worker.main(dict.fromkeys(METHODS, prepare), "pellucid", shares)
