import numpy as np
import pytest
from napari.components import ViewerModel

from napari_lowdose.widgets.layers import limits_of
from napari_lowdose.widgets.preview import Preview

RAMP = np.linspace(0, 1, 32 * 32, dtype=np.float32).reshape(32, 32)


@pytest.fixture
def shown():
    viewer = ViewerModel()
    noisy = viewer.add_image(np.zeros((5, 32, 32)), contrast_limits=(0, 10))
    viewer.dims.set_current_step(0, 2)
    preview = Preview(viewer, noisy)
    preview.show(RAMP * 20, 2)
    return viewer, preview, viewer.layers["preview"]


def test_while_networks_learn_the_contrast_of_their_frame_follows(shown):
    _, preview, layer = shown
    # the first and the 99.8th percentile of a ramp
    assert limits_of(layer) == pytest.approx((0.2, 19.96), abs=0.01)
    preview.show(100 + RAMP * 50, 2)
    assert limits_of(layer) == pytest.approx((100.5, 149.9), abs=0.01)


def test_a_contrast_of_the_user_stays(shown):
    _, preview, layer = shown
    layer.contrast_limits = (1, 2)
    preview.show(100 + RAMP * 50, 2)
    assert limits_of(layer) == (1, 2)


def test_other_frames_are_shown_in_the_same_contrast(shown):
    viewer, preview, layer = shown
    before = limits_of(layer)
    viewer.dims.set_current_step(0, 3)
    preview.show(100 + RAMP * 50, 3)
    assert limits_of(layer) == before
