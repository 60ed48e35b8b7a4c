"""A network whose logits are means of class activation maps."""

import torch

import pellucid
from pellucid.explain import explain, label
from pellucid.explain.cam.grad_cam import GradCAM
from pellucid.models.gap_cnn import GapCNN


def test_its_logits_are_means_of_maps_which_grad_cam_shows():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = GapCNN(shape=(2, 8, 12), classes=3, channels=(4, 6, 5)).double().eval()
    x = torch.rand(4, 2, 8, 12, generator=torch.Generator().manual_seed(1)).double()
    with torch.no_grad():
        last = module.relu(module.convolution(module.blocks(x)))
        maps = torch.einsum("ck,nkhw->nchw", module.linear.weight, last)
        logits = module(x)
    assert maps.shape[-2:] == (2, 3)
    assert torch.allclose(logits, maps.mean((2, 3)) + module.linear.bias)
    box = pellucid.open(module, access="white", shape=(2, 8, 12), emits="logits")
    y = torch.tensor([0, 1, 2, 0])
    shown = explain(GradCAM(layer="relu"), box, x, label(y), progress=False).values
    due = (maps[torch.arange(4), y] / 6).relu()  # a mean's gradient is shared by its six places
    due = torch.nn.functional.interpolate(due[:, None], (8, 12), mode="bilinear")
    assert torch.allclose(shown, due)
