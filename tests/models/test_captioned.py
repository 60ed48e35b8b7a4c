"""Cosines with captions, and the gap between two kinds of embeddings, by hand."""

import pytest
import torch
from torch import nn

from pellucid.models.captioned import Captioned, gap_vector, modality_gap

IMAGES = torch.tensor([[3.0, 4.0], [0.0, 2.0]])
TEXTS = torch.tensor([[5.0, 0.0], [0.0, -1.0]])


def test_cosines_by_hand():
    due = torch.tensor([[0.6, -0.8], [0.0, -1.0]])
    assert torch.allclose(Captioned(nn.Identity(), TEXTS)(IMAGES), due)


def test_a_gap_is_taken_from_images_and_given_to_texts():
    gap = torch.tensor([3.0, 0.0])
    cosines = Captioned(nn.Identity(), TEXTS, gap)(IMAGES)
    images = torch.tensor([[0.0, 1.0], [-3 / 13**0.5, 2 / 13**0.5]])
    texts = torch.tensor([[1.0, 0.0], [3 / 10**0.5, -1 / 10**0.5]])
    assert torch.allclose(cosines, images @ texts.T)


def test_the_gap_vector_by_dimension_and_as_their_code_has_it():
    assert torch.equal(gap_vector(IMAGES, TEXTS), torch.tensor([-1.0, 3.5]))
    assert torch.equal(gap_vector(IMAGES, TEXTS, scalar=True), torch.tensor([0.5, 2.0]))


def test_the_modality_gap_is_between_directions():
    due = torch.tensor([0.3 - 0.5, 0.9 + 0.5]).norm().item()
    assert modality_gap(IMAGES, TEXTS) == pytest.approx(due)
    assert modality_gap(7 * IMAGES, TEXTS) == pytest.approx(due)
    assert modality_gap(TEXTS, TEXTS) == 0


def test_closing_the_whole_gap_moves_the_means_past_each_other_by_the_gap():
    gap = gap_vector(IMAGES, TEXTS)
    assert torch.allclose((IMAGES - gap).mean(0), TEXTS.mean(0))
    assert torch.allclose((TEXTS + gap).mean(0), IMAGES.mean(0))
