import numpy as np
import pytest

from napari_lowdose.specimens.fluorescence import (
    Fluorescence,
    render_fluorescence,
    vary_fluorescence,
)
from napari_lowdose.specimens.fluorescence.cells import Cells
from napari_lowdose.specimens.fluorescence.filaments import Filaments
from napari_lowdose.specimens.fluorescence.vesicles import Vesicles

_BUSY = {"frames": 40, "size": 48, "width": 64, "blink_rate": 0.05}


def _rng(seed=0):
    return np.random.default_rng(seed)


def _movie(**settings):
    return np.asarray(render_fluorescence(Fluorescence(**settings)).stack.data)


def _one_filament(length_px, sway_px=0.0, n=1):
    return Filaments.grown(
        np.full((n, 2), 10.0),
        np.zeros(n),
        _rng(),
        length_px=length_px,
        sway_px=sway_px,
    )


def test_pixels_are_what_the_table_of_vesicles_says():
    scene = render_fluorescence(Fluorescence(turnover_rate=0.02, **_BUSY))
    without = _movie(n_vesicles=0, turnover_rate=0.02, **_BUSY)
    y, x = np.mgrid[:48, :64]
    seen = scene.particles[scene.particles.visible]
    for t, added in enumerate(scene.stack.read() - without):
        spots = seen[seen.frame == t]
        expected = np.zeros((48, 64))
        for spot in spots.itertuples():
            square = (y - spot.y) ** 2 + (x - spot.x) ** 2
            expected += spot.amplitude * np.exp(-square / (2 * spot.radius**2))
        # float32 of brightness up to some tens
        np.testing.assert_allclose(added, expected, atol=2e-5)


def test_events_and_table_tell_the_same_story():
    scene = render_fluorescence(Fluorescence(turnover_rate=0.05, **_BUSY))
    lit = scene.particles.pivot(index="frame", columns="id", values="visible")
    there = lit.notna().to_numpy()
    lit = lit.fillna(False).to_numpy(bool)
    both = there[1:] & there[:-1]
    happened = {
        "birth": there[1:] & ~there[:-1],
        "death": there[:-1] & ~there[1:],
        "blink": both & lit[:-1] & ~lit[1:],
        "return": both & ~lit[:-1] & lit[1:],
    }
    assert set(scene.events.kind) == set(happened)
    for kind, where in happened.items():
        told = scene.events[scene.events.kind == kind]
        expected = {(t + 1, i) for t, i in np.argwhere(where)}
        # one that dies in the frame it would be born in never is in the table
        assert set(zip(told.frame, told.id, strict=True)) == expected


def test_vesicles_stay_in_the_frame_whatever_the_speed():
    scene = render_fluorescence(
        Fluorescence(diffusion_px=20, transport_px=30, sway_px=20, **_BUSY)
    )
    assert scene.particles.y.between(0, 47).all()
    assert scene.particles.x.between(0, 63).all()


def test_free_vesicles_diffuse_as_told():
    vesicles = Vesicles.scattered(
        4000, (1000, 1000), _rng(), frames=2, turnover_rate=0.0
    )
    before = vesicles.position.copy()
    none = _one_filament(20.0, n=0)
    vesicles.move(1, none, _rng(1), diffusion_px=0.4, transport_px=0.0)
    # 8000 steps tell a standard deviation to 0.8 %; a step in 1000 meets the rim
    assert (vesicles.position - before).std() == pytest.approx(0.4, rel=0.03)


def test_vesicles_ride_along_their_filament_at_their_speed():
    filaments = _one_filament(200.0)
    vesicles = Vesicles.scattered(300, (400, 400), _rng(), frames=2, turnover_rate=0.0)
    vesicles.board(filaments, _rng(2))
    riders = np.flatnonzero(vesicles.filament == 0)
    arc, place = vesicles.arc.copy(), vesicles.position.copy()
    vesicles.move(1, filaments, _rng(3), diffusion_px=0.0, transport_px=2.0)
    still = riders[vesicles.filament[riders] == 0]
    assert len(still) > 50
    speed = 2.0 * vesicles.speed[still]
    np.testing.assert_allclose(vesicles.arc[still] - arc[still], speed)
    went = np.hypot(*(vesicles.position[still] - place[still]).T)
    # a chord between points of a bent chain is shorter than the way along it
    assert (went <= np.abs(speed) + 1e-9).all()
    assert went.mean() == pytest.approx(np.abs(speed).mean(), rel=0.02)


def test_numbers_of_vesicles_hold_as_they_come_and_go():
    vesicles = Vesicles.scattered(500, (64, 64), _rng(), frames=400, turnover_rate=0.02)
    numbers = [len(vesicles.alive(t)) for t in range(100, 400)]
    # fluctuations of sqrt(500) = 22, forgotten in 50 frames: 6 independent samples
    assert np.mean(numbers) == pytest.approx(500, abs=4 * 22 / np.sqrt(6))


def test_what_glows_bleaches_and_the_background_does_not():
    still = {"crawl_px": 0, "sway_px": 0, "growth_px": 0, "n_vesicles": 0, "size": 64}
    movie = _movie(frames=11, bleached_share=0.6, **still) - 1
    lit = movie[0] > 0.5
    # exponential: the same share in each of ten steps, down to 0.4 in all
    ratio = movie[:, lit] / movie[0, lit]
    expected = np.broadcast_to(0.4 ** (np.arange(11) / 10)[:, None], ratio.shape)
    np.testing.assert_allclose(ratio, expected, rtol=1e-4)  # float32 beside 1
    dark = _movie(frames=3, n_cells=0, n_filaments=0, n_vesicles=0)
    np.testing.assert_array_equal(dark, 1)


@pytest.mark.parametrize("psf_std_px", [0.8, 1.3, 3.0])
def test_a_filament_is_as_bright_as_told_and_as_wide_as_the_blur(psf_std_px):
    filament = _one_filament(200.0)
    filament.tangent[:] = 0.3
    filament.length[:] = filament.n_nodes - 1
    filament.label[:] = 1
    filament._bend()
    image = np.zeros((64, 96), np.float32)
    filament.draw(image, psf_std_px=psf_std_px)
    columns = image[:, 30:60]
    # sharing points among pixels blurs by 0 to 1/2 px^2, for which 1/6 is allowed
    assert columns.max(axis=0) == pytest.approx(1, abs=0.13 / psf_std_px**2 + 0.01)
    # across a line at an angle of 0.3, a column is longer by 1 / cos
    area = np.sqrt(2 * np.pi) * psf_std_px / np.cos(0.3)
    assert columns.sum(axis=0) == pytest.approx(area, rel=0.05)


def test_filament_ends_sway_as_told():
    filaments = _one_filament(100.0, sway_px=3.0, n=2000)
    filaments.tangent[:] = 0.0
    filaments._bend()
    # small angles: the first mode moves the end by its amplitude, 2000 samples know a
    # standard deviation to 1.6 %, higher modes add 0.1 %
    assert filaments.nodes[:, -1, 0].std() == pytest.approx(3.0, rel=0.06)
    # fixed at the base
    np.testing.assert_allclose(filaments.nodes[:, 0, 0], 10, atol=0.2)


def test_filaments_grow_and_shrink_but_keep_their_bounds():
    filaments = _one_filament(60.0, n=50)
    lengths = []
    for _ in range(300):
        filaments.advance(_rng(len(lengths)), growth_px=0.5, carried=np.zeros((50, 2)))
        lengths.append(filaments.length.copy())
    steps = np.diff(lengths, axis=0)
    assert steps.max() == pytest.approx(0.5)
    assert steps.min() == pytest.approx(-1.0)
    assert np.min(lengths) >= 1
    assert np.max(lengths) <= filaments.n_nodes - 1


def test_cells_crawl_at_their_speed_and_come_back():
    cells = Cells.scattered(5, (64, 64), _rng(), radius=10.0)
    rng = _rng(1)
    for _ in range(2000):
        steps = cells.advance(rng, crawl_px=0.5)
        assert np.hypot(*steps.T) == pytest.approx(0.5)
    # a step beyond the rim they turn round
    assert (cells.position > -1).all()
    assert (cells.position < 65).all()


def test_filaments_are_carried_by_their_cells():
    filaments = _one_filament(30.0, n=3)
    before = filaments.nodes
    carried = np.array([[1.0, 0.0], [0.0, -2.0], [0.0, 0.0]])
    filaments.advance(_rng(), growth_px=0.0, carried=carried)
    moved = np.broadcast_to(carried[:, None], before.shape)
    np.testing.assert_allclose(filaments.nodes - before, moved, atol=1e-9)


def test_nuclei_stand_out_or_are_dark():
    bright, dark = (
        _movie(frames=1, n_cells=1, n_filaments=0, n_vesicles=0, haze=0, seed=4,
               nucleus_brightness=nucleus)
        for nucleus in (3.0, 0.2)
    )  # fmt: skip
    assert (bright >= dark - 1e-6).all()
    # body of 2 backgrounds, up to 1.2 times as bright in its thick middle
    assert (bright - dark).max() == pytest.approx(2 * 1.2 * 2.8, rel=0.05)


@pytest.mark.parametrize("size", [8, 31])
@pytest.mark.parametrize("absent", ["n_cells", "n_filaments", "n_vesicles", "none"])
def test_anything_may_be_absent_in_any_frame(size, absent):
    counts = {} if absent == "none" else {absent: 0}
    movie = _movie(frames=3, size=size, width=13, **counts)
    assert movie.shape == (3, size, 13)
    assert np.isfinite(movie).all()
    assert movie.min() >= 1 - 1e-6


def test_cells_may_be_larger_than_frame_and_texture():
    movie = _movie(frames=2, size=40, cell_radius_px=400.0, n_cells=1)
    assert np.isfinite(movie).all()


@pytest.mark.parametrize(("size", "width"), [(8, 0), (64, 100), (300, 0)])
def test_varied_movies_are_valid_and_differ(size, width):
    settings = Fluorescence(frames=2, size=size, width=width, pixel_size_nm=65.0)
    rng = _rng(3)
    varied = [vary_fluorescence(settings, rng) for _ in range(12)]
    assert len({v.seed for v in varied}) == 12
    for v in varied:
        assert (v.frames, v.size, v.width, v.pixel_size_nm) == (2, size, width, 65.0)
        assert v.n_cells + v.n_filaments + v.n_vesicles > 0
        render_fluorescence(v).stack.read()  # refuses what has no contrast
    for name in ("n_cells", "n_filaments", "n_vesicles"):
        numbers = {getattr(v, name) for v in varied}
        assert len(numbers) > 4 or size == 8
