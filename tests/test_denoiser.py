import numpy as np
import pytest
import torch
from torch import nn

from napari_lowdose import denoiser as denoiser_module
from napari_lowdose.config import Compute, Denoising
from napari_lowdose.denoiser import Denoiser, predict, predicting
from napari_lowdose.errors import LowDoseError
from napari_lowdose.networks import UNet, arithmetic
from napari_lowdose.normalization import Normalizer
from napari_lowdose.planes import Plane

EXACT = Compute(device="cpu", precision="float32")


class Same(nn.Module):
    """Gives the first of its input images back."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Parameter(torch.zeros(1))

    def forward(self, images):
        return images[:, :1]


def unet(seed: int = 0) -> UNet:
    torch.manual_seed(seed)
    return UNet(depth=2, width=4)


def denoiser_of(make, stack, **settings) -> Denoiser:
    look = {plane: make() for plane in Plane}
    return Denoiser(Normalizer.fit(stack), (look,), compute=EXACT, **settings)


def test_identity_networks_return_the_stack(noisy):
    """Known answer 12."""
    # float32 of small counts, summed three times
    np.testing.assert_allclose(denoiser_of(Same, noisy)(noisy), noisy, atol=1e-5)


def test_a_later_look_sees_the_stack_and_all_estimates(noisy):
    class Counted(Same):
        def forward(self, images):
            assert images.shape[1] == 4
            return images[:, :1]

    first = {plane: Same() for plane in Plane}
    second = {plane: Counted() for plane in Plane}
    denoiser = Denoiser(Normalizer.fit(noisy), (first, second), compute=EXACT)
    np.testing.assert_allclose(denoiser(noisy), noisy, atol=1e-5)


@pytest.mark.parametrize("tile", [8, 20, 64])
def test_tiles_equal_the_whole(tile):
    images = np.random.default_rng(0).normal(size=(3, 75, 90)).astype(np.float32)
    network = unet()
    whole = predict(network, images, EXACT)
    tiled = np.empty_like(whole)
    for _ in predicting(network, [images], tiled, arithmetic(EXACT), tile):
        pass
    # float32: a convolution may sum in another order when the tile has another size
    np.testing.assert_allclose(tiled, whole, atol=2e-5)


def test_slices_beyond_the_memory_budget_are_tiled_unseen(monkeypatch):
    images = np.random.default_rng(0).normal(size=(1, 200, 210)).astype(np.float32)
    network = unet()
    whole = predict(network, images, EXACT)
    budget = 4 * 8 * 4 * 150 * 150  # bytes of 150 x 150 pixels at width 4
    monkeypatch.setitem(denoiser_module._BATCH_BYTES, "cpu", budget)
    np.testing.assert_allclose(predict(network, images, EXACT), whole, atol=2e-5)


def test_transposed_stacks_give_transposed_results(noisy):
    """x-t of the stack is y-t of its transpose."""
    network = unet()

    class Turned(nn.Module):
        """The frames' network, for transposed frames."""

        def __init__(self) -> None:
            super().__init__()
            self.inner, self.step, self.halo = network, network.step, network.halo

        def forward(self, images):
            return self.inner(images.transpose(2, 3)).transpose(2, 3)

    upright = {Plane.XY: network, Plane.XT: network, Plane.YT: unet(1)}
    lying = {Plane.XY: Turned(), Plane.XT: upright[Plane.YT], Plane.YT: network}
    normalizer = Normalizer.fit(noisy)
    one = Denoiser(normalizer, (upright,), compute=EXACT)(noisy)
    turned = np.ascontiguousarray(noisy.transpose(0, 2, 1))
    other = Denoiser(normalizer, (lying,), compute=EXACT)(turned)
    # float32: transposed images are summed in another order
    np.testing.assert_allclose(other.transpose(0, 2, 1), one, atol=2e-5)


def test_progress_counts_every_slice_and_leaving_early_is_safe(noisy):
    denoiser = denoiser_of(unet, noisy)
    steps = list(denoiser.estimating(noisy))
    assert steps[-1].done == steps[-1].total == sum(noisy.shape)
    started = denoiser.estimating(noisy)
    next(started)
    started.close()
    np.testing.assert_array_equal(denoiser(noisy), denoiser(noisy))


@pytest.mark.parametrize("shape", [(1, 30, 30), (2, 31, 17), (3, 5, 64)])
def test_any_number_of_frames_is_denoised(shape):
    stack = np.random.default_rng(0).poisson(1.0, shape)
    denoiser = denoiser_of(unet, stack)
    limited = denoiser.limited_to(Denoising(compute=EXACT), shape[0])
    assert limited.planes == (Plane.XY,)
    assert limited(stack).shape == shape


def test_the_input_is_never_changed(noisy):
    before = noisy.copy()
    denoiser_of(unet, noisy)(noisy)
    np.testing.assert_array_equal(noisy, before)


def test_planes_the_model_lacks_are_refused(noisy):
    frames_only = Denoiser(Normalizer.fit(noisy), ({Plane.XY: unet()},))
    with pytest.raises(LowDoseError, match="networks for xt"):
        frames_only.limited_to(Denoising(planes=("xt",)), len(noisy))


def test_half_precision_agrees_with_float32(noisy):
    denoiser = denoiser_of(unet, noisy)
    half = denoiser.limited_to(
        Denoising(compute=Compute(device="cpu", precision="bfloat16")), len(noisy)
    )
    exact = denoiser(noisy)
    error = half(noisy) - exact
    # bfloat16 keeps 8 bits; over ten layers errors stay below 2 % of the signal
    assert error.std() < 0.02 * exact.std()
