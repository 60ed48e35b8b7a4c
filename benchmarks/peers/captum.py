"""captum 0.9.0: many rows at a time, but LIME and KernelSHAP, which take one after the other."""

from math import exp, sqrt

import torch
from captum._utils.models.linear_model import SkLearnRidge
from captum.attr import (
    GuidedBackprop,
    IntegratedGradients,
    KernelShap,
    LayerAttribution,
    LayerGradCam,
    Lime,
    NoiseTunnel,
    Occlusion,
    Saliency,
)
from torch import Tensor

from benchmarks import explain_worker
from benchmarks.explain_worker import Explain, Images, Job, Outcome, log_probabilities
from benchmarks.worker import BATCH, Counted

NOISE = 0.15  # of the range of a row, which is 1 in nearly all images
WIDTH = 0.25  # of the kernel exp(-D^2 / width^2); D is the cosine distance to the row


def integrated_gradients(job: Job, module: Counted) -> Explain:
    tool = IntegratedGradients(module)

    def ask(images: Images) -> Outcome:
        return Outcome(
            values=tool.attribute(
                images.x, 0.0, target=images.y, n_steps=job.samples, internal_batch_size=BATCH
            )
        )

    return ask


def occlusion(job: Job, module: Counted) -> Explain:
    tool = Occlusion(log_probabilities(module))

    def ask(images: Images) -> Outcome:
        channels = images.x.shape[1]
        found = tool.attribute(
            images.x,
            sliding_window_shapes=(channels, job.window, job.window),
            strides=(channels, job.stride, job.stride),
            baselines=0.0,
            target=images.y,
        )
        return Outcome(values=found)

    return ask


def smooth_grad(job: Job, module: Counted) -> Explain:
    tool = NoiseTunnel(Saliency(module))

    def ask(images: Images) -> Outcome:
        found = tool.attribute(
            images.x,
            nt_type="smoothgrad",
            nt_samples=job.samples,
            nt_samples_batch_size=1,  # of each row, so 100 rows a pass
            stdevs=NOISE,
            target=images.y,
            abs=False,
        )
        return Outcome(values=found)

    return ask


def guided_backprop(_: Job, module: Counted) -> Explain:
    tool = GuidedBackprop(module)
    return lambda images: Outcome(values=tool.attribute(images.x, target=images.y))


def grad_cam(job: Job, module: Counted) -> Explain:
    tool = LayerGradCam(module, module.module.get_submodule(job.layer))

    def ask(images: Images) -> Outcome:
        low = tool.attribute(images.x, target=images.y, relu_attributions=True)
        size = tuple(images.x.shape[-2:])
        return Outcome(values=LayerAttribution.interpolate(low, size, "bilinear"))

    return ask


def similarity(_: Tensor, __: Tensor, shown: Tensor, **___: object) -> float:
    """The kernel of the other tools: by which parts are shown, not by the pixels that changed."""
    distance = 1 - sqrt(float(shown.double().mean()))
    return exp(-((distance / WIDTH) ** 2))


def lime(job: Job, module: Counted) -> Explain:
    tool = Lime(log_probabilities(module), SkLearnRidge(alpha=1.0), similarity_func=similarity)

    def ask(images: Images) -> Outcome:
        found = [
            tool.attribute(
                x,
                baselines=means(x, images.parts),
                target=y,
                feature_mask=images.parts.reshape(1, 1, *x.shape[-2:]),
                n_samples=job.samples,
                perturbations_per_eval=BATCH,
                return_input_shape=False,
            )
            for x, y in zip(images.x.split(1), images.y, strict=True)
        ]
        return Outcome(values=torch.cat(found))

    return ask


def means(x: Tensor, parts: Tensor) -> Tensor:
    """One image (1, channels, height, width) with each part at its mean by channel."""
    flat = x[0].flatten(1)
    sums = torch.zeros(len(flat), int(parts.max()) + 1).index_add(1, parts, flat)
    return (sums / parts.bincount())[:, parts].reshape(x.shape)


def kernel_shap(job: Job, module: Counted) -> Explain:
    tool = KernelShap(log_probabilities(module))

    def ask(images: Images) -> Outcome:
        found = [
            tool.attribute(
                x,
                baselines=0.0,
                target=y,
                feature_mask=images.parts.reshape(1, 1, *x.shape[-2:]),
                n_samples=job.samples,
                perturbations_per_eval=BATCH,
                return_input_shape=False,
            )
            for x, y in zip(images.x.split(1), images.y, strict=True)
        ]
        return Outcome(values=torch.cat(found))

    return ask


EXPLAINERS = {
    "integrated-gradients": integrated_gradients,
    "occlusion": occlusion,
    "smooth-grad": smooth_grad,
    "guided-backprop": guided_backprop,
    "grad-cam": grad_cam,
    "lime": lime,
    "kernel-shap": kernel_shap,
}

if __name__ == "__main__":
    explain_worker.main(EXPLAINERS, "captum")
