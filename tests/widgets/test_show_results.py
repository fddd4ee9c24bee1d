import numpy as np

from napari_lowdose.io import write_stack
from napari_lowdose.stack import Stack
from napari_lowdose.widgets.show_results import show_results


def test_a_comparison_opens_side_by_side_in_one_contrast(make_napari_viewer, tmp_path):
    rng = np.random.default_rng(0)
    for name in ("fused", "noisy", "truth", "xy"):
        stack = Stack(
            rng.poisson(2, (6, 24, 24)).astype(np.float32),
            pixel_size=(2.0, 2.0),
            pixel_unit="nanometer",
            frame_interval_s=0.5,
        )
        write_stack(stack, tmp_path / f"{name}.tif")
    viewer = make_napari_viewer()
    show_results(viewer, tmp_path)
    assert [layer.name for layer in viewer.layers] == ["noisy", "xy", "fused", "truth"]
    assert viewer.canvas.grid.enabled
    assert str(viewer.layers["xy"].units[1]) == "nanometer"
    # the file holds pixels per unit as a fraction of 32-bit integers
    np.testing.assert_allclose(viewer.layers["xy"].scale, (0.5, 2, 2), rtol=1e-6)
    viewer.layers["fused"].contrast_limits = (0, 3)
    assert viewer.layers["noisy"].contrast_limits == [0, 3]


def test_an_empty_folder_is_no_fault(make_napari_viewer, tmp_path):
    viewer = make_napari_viewer()
    show_results(viewer, tmp_path)
    assert len(viewer.layers) == 0
