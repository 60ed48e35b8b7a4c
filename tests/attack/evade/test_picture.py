"""Planes and waves, against SciPy's cosine transform."""

import pytest
import torch
from scipy.fft import dct

from pellucid.attack.evade._picture import cosines, low_waves, planes
from pellucid.rng import Streams


@pytest.mark.parametrize(
    ("shape", "due"),
    [((7,), (1, 1, 7)), ((4, 5), (1, 4, 5)), ((3, 4, 5), (3, 4, 5)), ((2, 3, 4, 5), (6, 4, 5))],
)
def test_any_shape_is_a_picture(shape, due):
    assert planes(shape) == due


@pytest.mark.parametrize(("size", "waves"), [(1, 1), (8, 8), (9, 4)])
def test_cosines_are_the_rows_of_the_orthonormal_transform(size, waves):
    basis = cosines(size, waves, torch.zeros((), dtype=torch.float64))
    due = dct(torch.eye(size, dtype=torch.float64).numpy(), norm="ortho", axis=0)[:waves]
    assert torch.allclose(basis, torch.from_numpy(due), atol=1e-12)


@pytest.mark.parametrize("shape", [(2, 8, 6), (20,)])
def test_low_waves_have_no_high_ones_and_unit_variance_in_the_low(shape):
    like = torch.zeros((), dtype=torch.float64)
    drawn = low_waves(Streams(0, ["a", "b"], like), 500, shape, (3, 3))
    assert drawn.shape == (500, 2, *shape)
    spectrum = torch.from_numpy(dct(drawn.numpy(), norm="ortho", axis=-1))
    assert float(spectrum[..., 3:].abs().max()) < 1e-12
    if len(shape) > 1:
        spectrum = torch.from_numpy(dct(spectrum.numpy(), norm="ortho", axis=-2))
        assert float(spectrum[..., 3:, :].abs().max()) < 1e-12
        spectrum = spectrum[..., :3, :]
    assert float(spectrum[..., :3].var()) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_low_waves_are_the_same_bits_in_any_company(n):
    def drawn(rows):
        streams = Streams(0, [str(row) for row in range(rows)], torch.zeros(()))
        return low_waves(streams, 30, (3, 28, 28), (5, 5))

    assert torch.equal(drawn(n), drawn(50)[:, :n])
