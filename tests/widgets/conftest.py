"""Real viewers on a virtual screen; settings and data of the user left alone."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

# napari reads NAPARI_CONFIG when it is imported; without it, tests would change what
# the user has chosen. The others keep models and settings of the tests apart.
_HOME = Path(tempfile.mkdtemp(prefix="lowdose-tests-"))
os.environ["NAPARI_CONFIG"] = str(_HOME / "napari" / "settings.yaml")
for _variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
    os.environ[_variable] = str(_HOME / _variable.lower())

_ROOT = Path(__file__).parents[2]
_ARTIFACTS = Path(os.environ.get("LOWDOSE_ARTIFACTS", _ROOT / "artifacts"))
_NO_SCREEN = (
    sys.platform.startswith("linux")
    and not os.environ.get("DISPLAY")
    and shutil.which("Xvfb") is None
)
if _NO_SCREEN:
    # Qt aborts the whole run without a screen; offscreen suffices for bare widgets.
    os.environ["QT_QPA_PLATFORM"] = "offscreen"


def pytest_collection_modifyitems(items):
    skip = pytest.mark.skip(reason="install xvfb")
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            # One viewer at a time: two would draw on the same two cores.
            item.add_marker(pytest.mark.xdist_group("screen"))
        if _NO_SCREEN and "make_napari_viewer" in getattr(item, "fixturenames", ()):
            item.add_marker(skip)


def pytest_unconfigure():
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture(autouse=True)
def _no_worker_left():
    yield
    if "napari" in sys.modules:
        from superqt.utils import WorkerBase

        from napari_lowdose.widgets.runner import abandon_all

        abandon_all()
        WorkerBase.await_workers(10_000)


def _moving_square():
    """Simulate a bright square that moves: counts and their expectation."""
    expected = np.full((16, 48, 48), 1.0, np.float32)
    for frame in range(16):
        expected[frame, 10 + frame : 26 + frame, 12:28] = 6.0
    return np.random.default_rng(0).poisson(expected).astype(np.uint16), expected


@pytest.fixture
def movie():
    """Counts of a bright square that moves, (t, y, x)."""
    return _moving_square()[0]


@pytest.fixture
def truth():
    """Expected counts of the movie."""
    return _moving_square()[1]


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """Train all three planes a little."""
    from napari_lowdose.config import Network, Training
    from napari_lowdose.training import fitting, paired, prepare, save_run

    noisy, truth = _moving_square()
    config = Training(epochs=8, batch=8, patch_px=16, network=Network(depth=1, width=8))
    run, parts = prepare(paired([noisy], [truth]), config)
    list(fitting(run, parts))
    return save_run(run, tmp_path_factory.mktemp("models") / "three planes.lowdose")


@pytest.fixture
def calibrated():
    """Where a calibrated movie lies."""
    return {
        "scale": (0.1, 2.0, 2.0),
        "units": ("second", "nanometer", "nanometer"),
        "axis_labels": ("t", "y", "x"),
    }


@pytest.fixture
def dock(make_napari_viewer):
    """Open one of our panels in a viewer, as the menu does."""

    def opened(title, *, show=False):
        viewer = make_napari_viewer(show=show)
        viewer.window.resize(1400, 900)
        _, panel = viewer.window.add_plugin_dock_widget("napari-lowdose", title)
        return viewer, panel

    return opened


@pytest.fixture
def screenshot(qtbot):
    """Keep what the user sees as a file among the artifacts."""

    def kept(viewer, name):
        qtbot.wait(100)
        _ARTIFACTS.mkdir(parents=True, exist_ok=True)
        path = _ARTIFACTS / f"{name}.png"
        viewer.screenshot(str(path), canvas_only=False, flash=False)
        return path

    return kept


_WIDTHS = {"narrow": 0.6, "gaussian": 1.2, "wide": 3.0}  # of Gaussian filters, in px


@pytest.fixture
def compared_by_hand():
    """Make up a comparison, as the engine would fill it."""
    from scipy import ndimage

    from napari_lowdose.compare import Kind, Result
    from napari_lowdose.config import Comparison
    from napari_lowdose.widgets.compared import Compared
    from napari_lowdose.widgets.layers import add_stack, stack_from

    def made_up(viewer, noisy, truth=None, *, title="first", widths=_WIDTHS):
        """Blur a movie in several ways; one more method fails."""
        stack = stack_from(noisy)
        known = None if truth is None else (truth, stack_from(truth))
        made = Compared(viewer, title, (noisy, stack), known)
        made.add(Result("noisy", stack, {"psnr": 9.0}, 0.0, {}, kind=Kind.NOISY), None)
        for number, (name, width) in enumerate(widths.items()):
            blurred = ndimage.gaussian_filter(
                noisy.data.astype(np.float32), (0, *2 * [width])
            )
            step = {
                "step": "denoise",
                "method": "gaussian",
                "settings": {"std_px": width},
                "comparison": Comparison(baselines=("gaussian",)).model_dump(
                    mode="json"
                ),
            }
            estimate = stack.with_data(blurred, name, step)
            scores = {"psnr": 20.0 + number, "ssim": 0.9 - number / 10}
            result = Result(
                name,
                estimate,
                scores,
                0.1 * (3 - number),
                {"std_px": width},
                memory_mb=10.0 + number,
                cached=name == "wide",
                std_errors={"psnr": 0.25},
            )
            made.add(result, add_stack(viewer, estimate, like=noisy))
        made.add(
            Result("broken", None, {}, float("nan"), {}, error="it needs more frames"),
            None,
        )
        return made

    return made_up
