import numpy as np
import pytest

from napari_lowdose.specimens import GaussianPeaks
from napari_lowdose.specimens.gaussian_peaks import render_gaussian_peaks


@pytest.fixture(scope="module")
def published():
    """As many images as tell the generator's numbers, of the published size."""
    return render_gaussian_peaks(GaussianPeaks(frames=200, seed=5))


def cells(table, shape):
    """Find the cell of each atom on the canvas, and how far it is off the middle."""
    on_canvas = table[["y", "x"]].to_numpy() + np.array(shape) // 2 + 0.5
    cell = np.floor(on_canvas / 8).astype(int)
    return cell, on_canvas - 8 * cell - 4


def test_an_image_has_the_published_number_of_atoms(published):
    number = published.particles.groupby("frame").size()
    # the frame is a quarter of the canvas, which has 75 to 150, rounded down; its
    # number deviates by 22 / 4 and which are in sight by 4.3
    assert number.mean() == pytest.approx(112 / 4, abs=4 * 6.9 / np.sqrt(200))
    assert number.min() < 23
    assert number.max() > 33


def test_heights_are_one_to_four_and_variances_one_to_ten(published):
    table = published.particles
    share = table.amplitude.value_counts(normalize=True)
    assert set(share.index) == {1, 2, 3, 4}
    # 5600 atoms, of which a quarter each
    assert share.to_numpy() == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 5600))
    variance = (table.radius**2).round(9)
    assert set(variance) == set(range(1, 11))
    assert (variance.groupby(table.frame).nunique() == 1).all()


def test_atoms_sit_one_by_one_near_the_middles_of_their_cells(published):
    table = published.particles
    cell, off = cells(table, (128, 128))
    assert np.abs(off).max() <= 1
    # uniform from -1 to 1
    assert off.std() == pytest.approx(1 / np.sqrt(3), rel=0.02)
    assert (
        not table.assign(row=cell[:, 0], column=cell[:, 1])
        .duplicated(["frame", "row", "column"])
        .any()
    )


def test_an_image_is_the_sum_of_its_atoms(published):
    table = published.particles
    frame = table[table.frame == 3]
    grid = np.arange(128)[:, None]
    y, x, std = (frame[name].to_numpy() for name in ("y", "x", "radius"))
    along_y = np.exp(-((grid - y) ** 2) / (2 * std**2))
    along_x = np.exp(-((grid - x) ** 2) / (2 * std**2))
    expected = (along_y * frame.amplitude.to_numpy()) @ along_x.T
    # atoms beyond the rim reach in by six deviations at most, here of 3.2 pixels
    seen = published.stack.read()[3][20:-20, 20:-20]
    np.testing.assert_allclose(seen, expected[20:-20, 20:-20], atol=1e-5)


def test_frames_without_persistence_have_nothing_in_common(published):
    stay = published.particles.groupby("id").frame.nunique()
    assert (stay == 1).all()
    first, second = published.stack.read()[:2]
    # about 28 peaks on 256 places: a correlation by chance of 1 / sqrt(256)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 4 / 16


def test_persistent_atoms_stay_with_that_chance_and_else_jump_to_a_cell_beside():
    scene = render_gaussian_peaks(GaussianPeaks(frames=60, persistence=0.8, seed=1))
    table = scene.particles.sort_values(["id", "frame"])
    cell, _ = cells(table, (128, 128))
    moved = table.assign(row=cell[:, 0], column=cell[:, 1]).groupby("id")
    step = moved[["row", "column"]].diff().abs().max(axis=1).dropna()
    assert set(step) == {0, 1}
    # an eighth of the jumps meet an atom and are not made; about 1500 chances
    tried = 0.2 * (1 - len(table) / 60 / 256)
    assert (step > 0).mean() == pytest.approx(tried, abs=4 * np.sqrt(0.16 / len(step)))
    assert (moved.amplitude.nunique() == 1).all()
    assert table.radius.nunique() == 1
    cell_now = table.assign(row=cell[:, 0], column=cell[:, 1])
    assert not cell_now.duplicated(["frame", "row", "column"]).any()


def test_fully_persistent_atoms_never_move():
    stack = render_gaussian_peaks(GaussianPeaks(frames=9, persistence=1)).stack.read()
    np.testing.assert_array_equal(stack[0], stack[-1])


def test_crowding_and_size_scale_the_number_of_atoms():
    def number(**settings):
        return len(
            render_gaussian_peaks(GaussianPeaks(frames=60, **settings)).particles
        )

    usual = number()
    # numbers of one movie deviate by 7 / sqrt(60) of 28
    assert number(crowding=3) == pytest.approx(3 * usual, rel=0.2)
    assert number(size=128, width=256) == pytest.approx(2 * usual, rel=0.2)


def test_the_smallest_images_have_an_atom_each():
    scene = render_gaussian_peaks(GaussianPeaks(frames=100, size=8))
    assert set(scene.particles.frame) == set(range(100))
    # the dimmest one's, half a pixel away along y and x
    assert (scene.stack.read().max(axis=(1, 2)) > np.exp(-0.25)).all()


def test_atoms_that_cross_the_rim_are_born_and_die():
    scene = render_gaussian_peaks(GaussianPeaks(frames=60, persistence=0.5, seed=2))
    stay = scene.particles.groupby("id").frame.agg(["min", "max", "size"])
    assert (stay["max"] - stay["min"] + 1 == stay["size"]).all()
    born = scene.events[scene.events.kind == "birth"].set_index("id").frame
    dead = scene.events[scene.events.kind == "death"].set_index("id").frame
    assert len(born) > 5
    assert born.to_dict() == stay["min"][stay["min"] > 0].to_dict()
    assert dead.to_dict() == (stay["max"][stay["max"] < 59] + 1).to_dict()
