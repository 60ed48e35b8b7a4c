"""The studies of the explain family, in the order of their page."""

from dataclasses import replace

from benchmarks.explain import CAPTUM, LIME, OURS, ROWS, SHAP, TORCH_CAM, Study
from benchmarks.explain_worker import Job

SIZES = (100, 1_000, 10_000)  # rows
FEW = 10  # rows, where a row costs hundreds of queries

JOB = Job(
    method="",
    subject="fashion-cnn",
    rows=ROWS,
    batch=ROWS,
    samples=1,
    sampled=False,
    window=0,
    stride=0,
    layer="5",  # the last pooling
    seed=1000,
    repeats=2,
    passes=10,
)
GRADIENTS = replace(JOB, method="integrated-gradients", samples=50)
WINDOWS = replace(JOB, method="occlusion", samples=65, window=7, stride=3)
SURROGATE = replace(JOB, method="lime", rows=FEW, samples=500, sampled=True)
SHARES = replace(SURROGATE, method="kernel-shap")
MAPS = replace(JOB, method="grad-cam", repeats=10)
PLUS = replace(MAPS, method="grad-cam-plus-plus")

COLOUR = "cifar-cnn"


def at_colour(job: Job) -> Job:
    """The same at the size of CIFAR-10: 32x32 in three channels."""
    return replace(job, subject=COLOUR, passes=4)


def alone(job: Job) -> Job:
    """The same, one image at a time."""
    return replace(job, batch=1, repeats=5, passes=2)


def memory(job: Job) -> Job:
    """All rows in one call, of a network that is nothing beside what a method holds."""
    return replace(job, subject="linear", batch=max(SIZES), repeats=1, passes=1, sampled=False)


COMPARED = (
    Study(
        slug="integrated-gradients",
        title="Integrated gradients, 50 steps",
        job=GRADIENTS,
        tools=(OURS, CAPTUM),
        limit=1.10,
        note="Gauss-Legendre for both, captum in internal batches of 100. Pellucid asks two "
        "queries more, for the gap.",
    ),
    Study(
        slug="integrated-gradients-cifar",
        rounds=3,
        title="Integrated gradients, 50 steps, CIFAR-10",
        job=at_colour(GRADIENTS),
        tools=(OURS, CAPTUM),
        limit=1.10,
    ),
    Study(
        slug="occlusion",
        title="Occlusion, a window of 7 pixels at a stride of 3",
        job=WINDOWS,
        tools=(OURS, CAPTUM),
        limit=1.10,
        note="64 windows and the image itself.",
    ),
    Study(
        slug="occlusion-cifar",
        rounds=3,
        title="Occlusion, a window of 8 pixels at a stride of 4, CIFAR-10",
        job=at_colour(replace(WINDOWS, samples=50, window=8, stride=4)),
        tools=(OURS, CAPTUM),
        limit=1.10,
    ),
    Study(
        slug="smooth-grad",
        rounds=3,
        title="SmoothGrad, 50 noisy copies",
        job=replace(JOB, method="smooth-grad", samples=50, sampled=True),
        tools=(OURS, CAPTUM),
        note="Noise of 0.15 of a row's range, which captum takes as 1. Pellucid clips the noisy "
        "copies to what a model may be asked, captum does not.",
    ),
    Study(
        slug="guided-backprop",
        rounds=3,
        title="Guided backpropagation",
        job=replace(MAPS, method="guided-backprop"),
        tools=(OURS, CAPTUM),
    ),
    Study(
        slug="grad-cam",
        rounds=3,
        title="Grad-CAM, 100 images at once",
        job=MAPS,
        tools=(OURS, TORCH_CAM, CAPTUM),
        note="The last pooling layer. All go backwards to that layer alone, but the raw time is "
        "that of going down to the image.",
    ),
    Study(
        slug="grad-cam-alone",
        rounds=3,
        title="Grad-CAM, one image at a time",
        job=alone(MAPS),
        tools=(OURS, TORCH_CAM, CAPTUM),
        note="The raw network is asked one image at a time too.",
    ),
    Study(
        slug="grad-cam-plus-plus",
        rounds=3,
        title="Grad-CAM++, 100 images at once",
        job=PLUS,
        tools=(OURS, TORCH_CAM),
        note="torch-cam sums activations times the cube of the gradient place by place; Pellucid "
        "takes the cube at the place that is weighed out of the sum, as equation 19 of the paper.",
    ),
    Study(
        slug="grad-cam-plus-plus-alone",
        rounds=3,
        title="Grad-CAM++, one image at a time",
        job=alone(PLUS),
        tools=(OURS, TORCH_CAM),
        note="The raw network is asked one image at a time too.",
    ),
    Study(
        slug="lime",
        title="LIME, 500 samples of 49 parts, 10 images",
        job=SURROGATE,
        tools=(OURS, CAPTUM, LIME),
        limit=1.15,
        note="The same parts, baseline (the part's mean), kernel and ridge for all.",
    ),
    Study(
        slug="lime-cifar",
        rounds=3,
        title="LIME, 500 samples of 49 parts, 10 images of CIFAR-10",
        job=at_colour(SURROGATE),
        tools=(OURS, CAPTUM, LIME),
        limit=1.15,
    ),
    Study(
        slug="kernel-shap",
        title="KernelSHAP, 500 queries, 49 parts, 10 images",
        job=SHARES,
        tools=(OURS, CAPTUM, SHAP),
        limit=1.15,
        note="The same parts, hidden by zeros. shap is run without its lasso.",
    ),
    Study(
        slug="kernel-shap-cifar",
        rounds=3,
        title="KernelSHAP, 500 queries, 49 parts, 10 images of CIFAR-10",
        job=at_colour(SHARES),
        tools=(OURS, CAPTUM, SHAP),
        limit=1.15,
    ),
    Study(
        slug="shapley",
        rounds=3,
        title="Exact Shapley values of 12 parts",
        job=replace(JOB, method="shapley", rows=5, samples=4096),
        tools=(OURS, SHAP),
        about=12,
        note="All 4,096 coalitions; 5 images. captum's ShapleyValues goes through all orders "
        "(12! of them), and is left out.",
    ),
)

MEMORY = (
    Study(
        slug="memory-integrated-gradients",
        title="Memory of integrated gradients, 50 steps",
        job=memory(GRADIENTS),
        sizes=SIZES,
        rounds=1,
        limit=1.2,
    ),
    Study(
        slug="memory-occlusion",
        title="Memory of occlusion, 64 windows",
        job=memory(WINDOWS),
        sizes=SIZES,
        rounds=1,
        limit=1.2,
    ),
    Study(
        slug="memory-kernel-shap",
        title="Memory of KernelSHAP, 500 queries",
        job=memory(replace(SHARES, samples=500)),
        sizes=SIZES,
        rounds=1,
        limit=1.2,
    ),
)
STUDIES = COMPARED + MEMORY
