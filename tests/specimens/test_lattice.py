import numpy as np
import pytest

from napari_lowdose.schema import checked
from napari_lowdose.specimens.gaussian_sum import add_gaussians
from napari_lowdose.specimens.lattice.crystals import CELLS, Crystal
from napari_lowdose.specimens.lattice.render import render_lattice
from napari_lowdose.specimens.lattice.settings import Imaging, Lattice, vary_lattice

PERFECT = {"vacancy_share": 0, "dopant_share": 0, "hop_rate": 0, "blink_rate": 0}
# Known answer 28: WS2 reflections, in Angstrom.
REFLECTIONS = {
    (1, 0): 2.754,
    (1, 1): 1.590,
    (2, 0): 1.377,
    (2, 1): 1.041,
    (3, 0): 0.918,
}


@pytest.mark.parametrize(("order", "spacing"), REFLECTIONS.items())
def test_ws2_reflects_at_its_spacings(order, spacing):
    # the last digit given
    assert CELLS[Crystal.WS2].spacing_nm(*order) * 10 == pytest.approx(
        spacing, abs=1e-3
    )


@pytest.mark.parametrize(
    ("crystal", "spacing"),
    # {111} planes: a / sqrt(3)
    [(Crystal.PT_110, 0.2266), (Crystal.CEO2_110, 0.3124)],
)
def test_cubic_crystals_have_their_111_planes(crystal, spacing):
    assert CELLS[crystal].spacing_nm(1, 1) == pytest.approx(spacing, abs=1e-4)


def test_the_rendered_image_has_the_reflections():
    """Known answer 28, from pixels."""
    settings = Lattice(frames=1, size=256, **PERFECT)
    image = render_lattice(settings).stack.read()[0].astype(float)
    image -= image.mean()
    image *= np.outer(np.hanning(256), np.hanning(256))
    power = np.abs(np.fft.rfft2(image, (2048, 2048))) ** 2
    waves_y = np.fft.fftfreq(2048, settings.pixel_size_nm)[:, None]
    waves_x = np.fft.rfftfreq(2048, settings.pixel_size_nm)[None]
    waves = np.hypot(waves_y, waves_x)
    for spacing in REFLECTIONS.values():
        ring = np.abs(waves * spacing / 10 - 1) < 0.06
        peak = np.unravel_index(np.argmax(power * ring), power.shape)
        y = _vertex(power[np.arange(-1, 2) + peak[0], peak[1]])
        x = _vertex(power[peak[0], np.arange(-1, 2) + peak[1]])
        step = waves_y[1, 0]
        wave = np.hypot(waves_y[peak[0], 0] + y * step, waves_x[0, peak[1]] + x * step)
        # a few thousandths of a step of 0.024 per nm remain of the other reflections
        assert 10 / wave == pytest.approx(spacing, rel=1e-3)


def _vertex(values):
    left, middle, right = np.log(values)
    return 0.5 * (left - right) / (left - 2 * middle + right)


def test_ws2_has_the_levels_of_the_multislice_calculation():
    settings = Lattice(frames=1, size=128, **PERFECT)
    scene = render_lattice(settings)
    amplitude = np.unique(scene.particles.amplitude.round(9))
    background = settings.support_brightness
    tungsten = 0.0415 / (amplitude[1] + background)
    # the range of the tungsten columns is 0.040 to 0.043 of the beam
    assert (amplitude[0] + background) * tungsten == pytest.approx(0.014, rel=0.04)
    assert background * tungsten == pytest.approx(0.0016, rel=0.04)


def test_columns_add_their_amplitude_where_they_are():
    scene = render_lattice(
        Lattice(frames=3, size=96, width=128, vacancy_share=0.3, dopant_share=0.2)
    )
    stack, table = scene.stack.read(), scene.particles
    assert 0 < np.count_nonzero(~table.visible) < len(table) / 4
    near = table[["y", "x"]].round().astype(int)
    away = (table[["y", "x"]] - near).pow(2).sum(axis=1)
    expected = table.amplitude * table.visible * np.exp(-away / (2 * table.radius**2))
    brightness = stack[table.frame, near.y, near.x] - 0.04
    # the three neighbours, 4.5 standard deviations away and half a pixel nearer
    np.testing.assert_allclose(brightness, expected, atol=0.004)


@pytest.mark.parametrize("tilt", [0.0, 2.0])
def test_lonely_columns_add_their_amplitude_in_the_bright_field(tilt):
    settings = Lattice(
        frames=1,
        size=64,
        crystal=Crystal.PT_110,
        imaging=Imaging.BRIGHT_FIELD_DARK,
        magnification=8,
        probe_std_nm=0.02,
        tilt_deg=tilt,
        **PERFECT,
    )
    scene = render_lattice(settings)
    column = scene.particles.iloc[0]
    brightness = scene.stack.read()[0, round(column.y), round(column.x)]
    # a column is 9 px wide, so that half a pixel off its middle costs 0.3 percent
    assert brightness - 0.45 == pytest.approx(column.amplitude, rel=0.01)
    assert column.amplitude < 0


def test_tilt_draws_columns_out_and_keeps_their_brightness():
    upright = Lattice(frames=1, size=96, crystal=Crystal.PT_100, **PERFECT)
    tilted = upright.model_copy(update={"tilt_deg": 2.0})
    scenes = [render_lattice(settings) for settings in (upright, tilted)]
    means = [scene.stack.read().mean(dtype=float) for scene in scenes]
    # what a column loses at a rim of the frame, its neighbour beyond brings
    assert means[0] == pytest.approx(means[1], rel=0.01)
    radii = [scene.particles.radius.iloc[0] for scene in scenes]
    # 7 of 8 atoms' distances, 0.3924 nm each, at 2 degrees: 4.8 px of an even line
    assert radii[1] ** 2 - radii[0] ** 2 == pytest.approx(4.8**2 / 24, rel=0.01)


def test_sums_of_gaussians_are_exact():
    rng = np.random.default_rng(0)
    position, height = rng.uniform(-20, 320, (50, 2)), rng.normal(0, 1, 50)
    image = np.zeros((300, 140), np.float32)
    add_gaussians(image, position, height, std_px=7.0)
    y, x = np.mgrid[:300, :140]
    away = (y - position[:, 0, None, None]) ** 2 + (x - position[:, 1, None, None]) ** 2
    direct = (height[:, None, None] * np.exp(-away / (2 * 7.0**2))).sum(axis=0)
    # float32 of positions up to 320 px: 2e-5 px, of slopes up to 0.1 per px
    np.testing.assert_allclose(image, direct, atol=1e-5)


def test_bright_field_spans_what_real_movies_do():
    settings = Lattice(frames=1, size=128, crystal=Crystal.PT_ON_CEO2)
    for imaging, low, high in (
        (Imaging.BRIGHT_FIELD_WHITE, 0.337, 0.634),
        (Imaging.BRIGHT_FIELD_DARK, 0.337, 0.634),
    ):
        own = settings.model_copy(update={"imaging": imaging})
        frame = render_lattice(own).stack.read()[0]
        assert low < frame.min() < 0.45 < frame.max() < high
        # the upper corners are vacuum
        assert frame[0, 0] == pytest.approx(0.45, abs=0.001)
        # their mean is 0.443
        assert frame.mean() == pytest.approx(0.45, abs=0.02)


def test_the_surface_flickers_as_the_events_say():
    settings = Lattice(
        frames=60,
        crystal=Crystal.PT_ON_CEO2,
        vacancy_share=0,
        hop_rate=0,
        drift_px=0,
        blink_rate=0.05,
    )
    scene = render_lattice(settings)
    seen = scene.particles.pivot(index="frame", columns="id", values="visible")
    change = seen.astype(int).diff().fillna(0).to_numpy()
    events = scene.events
    assert np.count_nonzero(change < 0) == np.count_nonzero(events.kind == "blink")
    assert np.count_nonzero(change > 0) == np.count_nonzero(events.kind == "return")
    for event in events.itertuples():
        is_back = event.kind == "return"
        assert seen.loc[event.frame, event.id] == is_back
        assert seen.loc[event.frame - 1, event.id] != is_back
    assert len(events) > 20
    # inner columns and the ceria's stay: most of what is seen
    assert (change == 0).all(axis=0).mean() > 0.5


def _missing_heights(**settings):
    lattice = Lattice(
        frames=40, size=64, dopant_share=0, drift_px=0, vacancy_share=0.2, **settings
    )
    scene = render_lattice(lattice)
    heights = scene.particles.amplitude * scene.particles.visible
    table = scene.particles.assign(height=heights)
    return table.pivot(index="frame", columns="id", values="height").to_numpy()


def test_vacancies_stay_hop_or_form():
    still = _missing_heights(hop_rate=0)
    np.testing.assert_array_equal(still, still[:1].repeat(40, axis=0))
    hopping = _missing_heights(hop_rate=0.2)
    changed = (np.diff(hopping, axis=0) != 0).any(axis=0)
    assert changed.mean() > 0.2
    damaged = _missing_heights(hop_rate=0, damage_rate=0.01)
    assert (np.diff(damaged, axis=0) <= 0).all()
    # sulphur loses up to two of two atoms, at 0.01 for 40 frames: a third of them
    assert damaged[-1].sum() < 0.95 * damaged[0].sum()


def test_hopping_atoms_are_neither_made_nor_lost():
    from napari_lowdose.specimens.lattice.crystals import tiling
    from napari_lowdose.specimens.lattice.occupancy import Occupancy

    rng = np.random.default_rng(0)
    columns = tiling(CELLS[Crystal.WS2], radius_nm=3, thickness_nm=1)
    atoms = Occupancy.drawn(
        columns, vacancy_share=0.2, dopant_share=0.3, blink_rate=0, hops=True, rng=rng
    )
    start, dopants = atoms.present.copy(), atoms.dopants.sum()
    for _ in range(20):
        atoms.advance(blink_rate=0, hop_rate=0.5, damage_rate=0, rng=rng)
    assert not np.array_equal(atoms.present, start)
    assert dopants == atoms.dopants.sum()
    for element in (74, 16):
        kind = columns.element == element
        assert atoms.present[kind].sum() == start[kind].sum()
    assert (atoms.dopants >= 0).all()
    assert (atoms.dopants <= atoms.present).all()
    assert (atoms.present <= columns.n_atoms).all()


def test_everything_drifts_by_the_same_step():
    scene = render_lattice(Lattice(frames=8, size=64, drift_px=0.7, **PERFECT))
    places = scene.particles.pivot(index="frame", columns="id", values=["y", "x"])
    y, x = places["y"].diff(), places["x"].diff()
    steps = np.hypot(y, x).to_numpy()
    np.testing.assert_allclose(steps[np.isfinite(steps)], 0.7, rtol=1e-6)


def test_the_particle_turns_and_its_support_stays():
    settings = Lattice(
        frames=10,
        crystal=Crystal.PT_ON_CEO2,
        rotation_deg=0,
        turn_deg=0.5,
        drift_px=0,
        blink_rate=0,
    )
    table = render_lattice(settings).particles
    way = table.groupby("id")[["y", "x"]].agg(np.ptp).max(axis=1)
    height = table.groupby("id").y.first()
    assert (way[height > 93] == 0).all()  # ceria begins 0.22 of 128 px below the middle
    assert (way[height < 75] > 0).all()


@pytest.mark.parametrize("imaging", Imaging)
@pytest.mark.parametrize("crystal", Crystal)
def test_any_size_can_be_drawn(crystal, imaging):
    for frames, size, width in ((1, 8, 0), (2, 9, 40), (2, 200, 8)):
        settings = Lattice(
            frames=frames, size=size, width=width, crystal=crystal, imaging=imaging
        )
        stack = render_lattice(settings).stack.read()
        assert stack.shape == (frames, *settings.shape)
        assert stack.min() >= 0


def test_variations_reach_all_crystals_and_stay_visible():
    rng = np.random.default_rng(0)
    start = Lattice(frames=3, size=48, width=32, pixel_size_nm=0.13)
    varied = [vary_lattice(start, rng) for _ in range(60)]
    assert {settings.crystal for settings in varied} == set(Crystal)
    assert {settings.imaging for settings in varied} == set(Imaging)
    assert len({settings.seed for settings in varied}) == 60
    for settings in varied:
        assert (settings.shape, settings.frames) == ((48, 32), 3)
        assert settings.pixel_size_nm == 0.13
        # nearest columns 4 to 28 px apart, blurred by 0.16 to 0.3 of that
        assert 0.6 < settings.column_std_px < 9
        stack = render_lattice(settings).stack.read()
        assert stack.min() >= 0
        assert stack.std() > 0.005


def test_too_many_columns_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match=r"columns of atoms.*lower pixel_size_nm"):
        checked(Lattice, {"pixel_size_nm": 10})
