"""What other devices lack is not asked for; there are none where tests run."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from napari_lowdose.base_models import fitted, load_base
from napari_lowdose.base_models.fine_tune import FineTune
from napari_lowdose.config import Compute, FineTuning, Network, Training
from napari_lowdose.networks.arithmetic import layout
from napari_lowdose.training import Example, fit, prepare

CPU = Compute(device="cpu", precision="float32")
_TABLE = 1000  # numbers of a table that is made without the device


class Lacking(TorchDispatchMode):
    """Refuse what Apple's GPUs refuse.

    They have no double precision, and adding a multiple of one kind of number to
    another has failed or ended the process (PyTorch issues 143932 and 178709).
    """

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        made = function(*args, **kwargs)
        tensors = [t for t in tree_leaves((args, made)) if isinstance(t, torch.Tensor)]
        for tensor in tensors:
            small = tensor.numel() <= _TABLE
            assert small or tensor.dtype != torch.float64, function
        if kwargs.get("alpha", 1) != 1:
            assert len({t.dtype for t in tensors}) == 1, function
        return made


def test_what_apple_lacks_would_be_noticed():
    with Lacking(), pytest.raises(AssertionError):
        torch.zeros(2000).double()
    with Lacking(), pytest.raises(AssertionError):
        torch.zeros(2).add_(torch.ones(2, dtype=torch.bool), alpha=2)


def test_denoising_asks_for_nothing_that_apple_lacks(tiny_base, noisy):
    denoiser, _ = fitted(tiny_base, noisy, CPU)
    with Lacking():
        found = denoiser(noisy)
    np.testing.assert_array_equal(found, denoiser(noisy))


@pytest.mark.parametrize("objective", ["thinning", "noise2void", "supervised"])
def test_fine_tuning_asks_for_nothing_that_apple_lacks(
    tiny_base, noisy, truth, objective
):
    settings = FineTuning(
        objective=objective, seconds=0.5, frames=8, size_px=32, compute=CPU
    )
    tuning = FineTune.start(load_base(tiny_base), [Example(noisy, truth)], settings)
    with Lacking():
        events = list(tuning.going())
    assert events


@pytest.mark.parametrize("objective", ["thinning", "noise2void", "supervised"])
def test_training_asks_for_nothing_that_apple_lacks(noisy, truth, objective):
    training = Training(
        epochs=1,
        steps_per_epoch=2,
        batch=4,
        patch_px=16,
        objective=objective,
        network=Network(depth=2, width=4),
        compute=CPU,
    )
    run, parts = prepare([Example(noisy, truth)], training)
    with Lacking():
        assert list(fit(run, parts))


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("cpu", torch.channels_last),
        ("cuda", torch.channels_last),
        ("mps", torch.contiguous_format),
    ],
)
def test_each_device_has_its_layout(kind, wanted):
    assert layout(torch.device(kind)) is wanted
