import pytest
import torch

from napari_lowdose.config import Compute, Device
from napari_lowdose.networks import NETWORKS, UNet, arithmetic
from napari_lowdose.networks.look import excess


@pytest.mark.parametrize(
    ("depth", "width", "weights"),
    [(4, 64, 31_030_593), (4, 32, 7_759_521), (4, 16, 1_940_817), (3, 64, 7_696_193)],
)
def test_number_of_weights_is_the_original(depth, width, weights):
    """Known answer 16."""
    network = UNet(depth=depth, width=width)
    assert sum(p.numel() for p in network.parameters()) == weights


def test_depth_four_has_twenty_three_layers():
    layers = [
        module
        for module in UNet(depth=4, width=1).modules()
        if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d)
    ]
    assert len(layers) == 23


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("shape", [(8, 8), (1, 1), (5, 19), (33, 64)])
def test_output_is_as_large_as_the_input(name, shape):
    network = NETWORKS[name](depth=2, width=2)
    assert network(torch.zeros(3, 1, *shape)).shape == (3, 1, *shape)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_no_pixel_beyond_the_halo_is_seen(depth):
    torch.manual_seed(0)
    network = UNet(depth=depth, width=2).double()
    for weights in network.parameters():
        weights.data.abs_()  # so that no ReLU closes a path
    edge = 2 * network.halo + 3 * network.step
    image = torch.rand(1, 1, edge, edge, dtype=torch.double, requires_grad=True)
    reach = 0
    for row in range(network.halo + network.step, network.halo + 2 * network.step):
        (gradient,) = torch.autograd.grad(network(image)[0, 0, row, row], image)
        seen = gradient[0, 0].abs().sum(dim=0).nonzero()
        reach = max(reach, int(row - seen.min()), int(seen.max() - row))
    # pooling takes one pixel of four, so this image may not use the whole reach
    assert network.halo / 2 < reach <= network.halo


def test_what_has_run_away_is_led_back():
    """Weights and shares saturate, so that the loss alone has no slope there."""
    out = torch.zeros(1, 3, 4, 4)
    out[:, 0] = 1e3  # an estimate may have any value
    out[:, 1], out[:, 2] = 5.9, -5.9
    assert excess(out) == 0
    far = torch.full((1, 3, 4, 4), -50.0, requires_grad=True)
    excess(far).backward()
    assert far.grad is not None
    assert (far.grad[:, 1:] < 0).all()
    assert (far.grad[:, 0] == 0).all()


def test_a_device_that_is_not_there_is_refused():
    missing = Device.MPS if not torch.backends.mps.is_available() else Device.CUDA
    with pytest.raises(ValueError, match="device: expected one that is there"):
        arithmetic(Compute(device=missing))
