from itertools import count

import numpy as np
import pytest
from scipy import ndimage
from scipy.stats import norm

from napari_lowdose.schema import checked
from napari_lowdose.specimens import Catalyst
from napari_lowdose.specimens.catalyst import render_catalyst, vary_catalyst
from napari_lowdose.specimens.catalyst.adatoms import Adatoms
from napari_lowdose.specimens.catalyst.carbon import Carbon
from napari_lowdose.specimens.catalyst.particles import Particles
from napari_lowdose.specimens.catalyst.picture import Picture
from napari_lowdose.specimens.catalyst.projection import (
    look_up,
    peak_thickness,
    profiles,
    swelling,
    volume,
)
from napari_lowdose.specimens.catalyst.ripening import ripened
from napari_lowdose.specimens.scene import Tracks

STILL = {"motion_px": 0, "drift_px": 0, "hop_rate": 0, "blink_rate": 0}
BARE = {"carbon_texture": 0, "carbon_ramp": 0}


def metal(settings):
    """Render with and without the metal."""
    bare = settings.model_copy(update={"n_particles": 0, "n_atoms": 0, "birth_rate": 0})
    scene = render_catalyst(settings)
    return scene, scene.stack.data[:] - render_catalyst(bare).stack.data[:]


def read(image, y, x):
    """Read an image between its pixels."""
    return ndimage.map_coordinates(
        image.astype(float), [[y], [x]], order=5, mode="nearest"
    )[0]


def stage(radii, places, **settings):
    """Put particles where we want them."""
    chosen = Catalyst(**{**STILL, "size": 48, "n_particles": 0, **settings})
    rng = np.random.default_rng(0)
    tracks, ids = Tracks(), count()
    carbon = Carbon.drawn(chosen, rng)
    particles = Particles(chosen, carbon, tracks, ids, rng)
    for radius in radii:
        assert particles.add(radius)
    particles.all["position"] = places
    adatoms = Adatoms(chosen, carbon, tracks, ids, rng)
    picture = Picture(chosen)
    return particles, lambda: picture.of(particles, adatoms)


# -- the picture ------------------------------------------------------------------


@pytest.mark.parametrize("radius", [0.5, 1.5, 4.0, 20.0])
@pytest.mark.parametrize("probe", [0.5, 1.3])
def test_a_sphere_is_seen_as_a_probe_smears_its_thickness(radius, probe):
    (profile,) = profiles(np.array([radius]), probe)
    z = np.linspace(-5, 5, 1001)
    weight = norm.pdf(z) / norm.pdf(z).sum()
    for rho in (0.0, 0.4 * radius, radius, radius + probe):
        y, x = rho + probe * z[:, None], probe * z[None]
        thickness = 2 * np.sqrt(np.maximum(radius**2 - y**2 - x**2, 0))
        expected = weight @ thickness @ weight
        seen = look_up(profile, np.full((1, 1), rho), probe)[0, 0]
        # steps of a tenth of the probe, read linearly: an eighth of a hundredth of
        # the curvature; 1001 points leave less
        assert seen == pytest.approx(expected, abs=2e-3 * probe)
    peak = peak_thickness(np.array([radius]), probe)[0]
    assert profile[0] == pytest.approx(peak, abs=1e-5)


# A profile ends at 4.5 probes, with 3e-4; a hexagon's corners are sharper than probes.
@pytest.mark.parametrize(("facets", "flicker"), [(0.0, 5e-4), (1.0, 0.02)])
def test_the_picture_of_a_particle_does_not_flicker_between_pixels(facets, flicker):
    """Its pixels add up to its volume wherever it lies."""
    rng = np.random.default_rng(0)
    sums = []
    for _ in range(20):
        _, picture = stage([1.5], [rng.uniform(20, 21, 2)], facets=facets, contrast=4)
        sums.append(picture().sum(dtype=float))
    per_pixel = 4 / peak_thickness(np.array([4.0]), 0.8)[0]
    # the thickness of 0.3 nm saturates by 2 in 1000; the profile ends at 4.5 probes
    assert np.mean(sums) == pytest.approx(
        per_pixel * volume(np.array([1.5]))[0], rel=0.01
    )
    assert np.ptp(sums) / np.mean(sums) < flicker


@pytest.mark.parametrize(("seed", "contrast"), [(0, 0.0), (1, 0.5), (2, 4.0)])
def test_particles_add_their_amplitude_where_they_are_seen(seed, contrast):
    settings = Catalyst(
        frames=8,
        size=96,
        seed=seed,
        contrast=contrast,
        blink_rate=0.05,
        n_atoms=12,
        probe_px=1.3,
    )
    scene, added = metal(settings)
    checked_states = []
    for _, here in scene.particles.groupby("frame"):
        position, radius = here[["y", "x"]].to_numpy(), here.radius.to_numpy()
        gap = np.hypot(*(position[:, None] - position[None]).T)
        room = gap - radius[:, None] - radius[None] + 99 * np.eye(len(here))
        inner = ((position > 5) & (position < 90)).all(axis=1)
        for one in here[(room.min(axis=1) > 5 * 1.3) & inner].itertuples():
            expected = one.amplitude if one.visible else 0.0
            bright = read(added[one.frame], one.y, one.x)
            # splines of fifth order read a Gaussian of 1.3 pixels to 3 in 1000
            assert bright == pytest.approx(expected, abs=4e-3 * one.amplitude)
            checked_states.append(one.visible)
    assert 0 < np.mean(checked_states) < 1


def test_a_particle_of_mean_radius_has_the_contrast_as_its_amplitude():
    _, picture = stage([6.0], [[24, 24]], radius_px=6, contrast=3)
    assert picture().max() == pytest.approx(3, rel=1e-5)
    assert picture()[24, 24] == picture().max()


def test_two_nanometres_of_platinum_outshine_twenty_of_carbon_by_the_known_ratio():
    """Algorithm notes, section 25.2: 5.2 times the background."""
    _, picture = stage(
        [20.0], [[24, 24]], contrast=0, carbon_nm=20, pixel_size_nm=0.05, probe_px=0.5
    )
    # 51.8 / 10, of which 2 nm of 75 saturate by 1.3 %
    assert picture().max() == pytest.approx(5.18 * (1 - 0.5 * 2 / 75), rel=2e-3)


def test_a_platinum_atom_outshines_the_carbon_in_its_spot():
    """Algorithm notes, section 25.2: 3.5 times under a probe of 0.042 nm."""
    settings = Catalyst(
        frames=1,
        size=64,
        n_particles=0,
        n_atoms=1,
        contrast=0,
        carbon_nm=20,
        pixel_size_nm=0.042,
        probe_px=1,
    )
    (amplitude,) = render_catalyst(settings).particles.amplitude
    # two digits are given
    assert amplitude == pytest.approx(3.5, abs=0.05)


# -- coalescence ------------------------------------------------------------------


@pytest.mark.parametrize(("large", "small"), [(5.0, 5.0), (6.0, 4.0), (7.0, 2.0)])
def test_union_keeps_the_volume_at_every_distance(large, small):
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (200_000, 3)) * (16, 9, 9)
    last = 1.0
    for distance in (0.95 * (large + small), 0.6 * (large + small), 0.3 * large):
        grown = swelling(large, small, distance)
        assert grown >= last
        last = grown
        in_large = (points**2).sum(axis=1) < (grown * large) ** 2
        shifted = points - (distance, 0, 0)
        in_either = in_large | ((shifted**2).sum(axis=1) < (grown * small) ** 2)
        share = (large**3 + small**3) * 4 / 3 * np.pi / (8 * 16 * 9 * 9)
        # four standard errors of a share of points
        assert in_either.mean() == pytest.approx(
            share, abs=4 * np.sqrt(share / len(points))
        )


@pytest.mark.parametrize(("large", "small"), [(5.0, 4.99), (6.0, 4.0), (7.0, 2.0)])
def test_particles_merge_without_a_flash(large, small):
    apart = 0.999 * (large + small)
    particles, picture = stage([large, small], [[24, 18], [24, 18 + apart]])
    frames = [picture()]
    for _ in range(40):
        particles.advance()
        frames.append(picture())
    brightness = np.array(frames).sum(axis=(1, 2), dtype=float)
    # thicker metal saturates a bit more
    np.testing.assert_allclose(brightness, brightness[0], rtol=4e-3)
    peak = np.max(frames, axis=(1, 2))
    # it climbs to that of the final sphere and never beyond
    assert peak.max() <= peak[-1] * 1.01
    assert np.diff(peak).min() > -0.02
    np.testing.assert_allclose(
        particles.all["radius"], [np.cbrt(large**3 + small**3)], rtol=1e-6
    )
    events = particles.tracks.events
    assert events.drop(columns="frame").to_numpy().tolist() == [["merge", 1, 0]]


def test_merging_particles_approach_by_a_third_in_the_frames_asked_for():
    particles, _ = stage([5.0, 5.0], [[24, 19], [24, 28.9]], merge_frames=6)
    for _ in range(6):
        particles.advance()
    gap = np.hypot(*np.diff(particles.all["position"], axis=0)[0])
    assert gap == pytest.approx(9.9 / np.e, rel=1e-6)
    # between equal spheres, the middle stays
    np.testing.assert_allclose(particles.all["position"].mean(axis=0), [24, 23.95])


CROWD = Catalyst(
    frames=60,
    size=64,
    n_particles=24,
    radius_px=3,
    motion_px=0.8,
    blink_rate=0.1,
    drift_px=0.2,
)


def test_hidden_particles_do_not_merge():
    scene = render_catalyst(CROWD)
    seen = scene.particles.set_index(["frame", "id"]).visible
    merges = scene.events[scene.events.kind == "merge"]
    assert len(merges) > 3
    for event in merges.itertuples():
        assert seen[event.frame - 1, event.id]
        assert seen[event.frame - 1, event.other]


def test_particles_that_do_not_merge_do_not_overlap():
    scene = render_catalyst(CROWD)
    overlaps = 0
    for _, here in scene.particles[scene.particles.visible].groupby("frame"):
        position, radius = here[["y", "x"]].to_numpy(), here.radius.to_numpy()
        gap = np.hypot(*(position[:, None] - position[None]).T)
        deep = gap < 0.8 * (radius[:, None] + radius[None])
        np.fill_diagonal(deep, False)
        # one partner each
        assert deep.sum(axis=1).max(initial=0) <= 1
        overlaps += deep.sum()
    assert overlaps


# -- life -------------------------------------------------------------------------


def test_every_start_and_end_in_a_movie_has_its_event():
    settings = CROWD.model_copy(
        update={"ripening_rate": 0.02, "birth_rate": 0.1, "n_atoms": 20}
    )
    scene = render_catalyst(settings)
    stay = scene.particles.groupby("id").frame.agg(["min", "max", "size"])
    assert (stay["max"] - stay["min"] + 1 == stay["size"]).all()
    events = scene.events
    born = events[events.kind == "birth"].set_index("id").frame
    ended = events[events.kind.isin(["death", "merge"])].set_index("id").frame
    assert born.to_dict() == stay["min"][stay["min"] > 0].to_dict()
    last = settings.frames - 1
    assert ended.to_dict() == (stay["max"][stay["max"] < last] + 1).to_dict()
    assert set(events.kind) == {"birth", "death", "merge", "blink", "return"}


def test_as_many_particles_as_asked_for_are_in_the_first_frame():
    scene = render_catalyst(Catalyst(frames=1, n_particles=9, n_atoms=5))
    assert len(scene.particles) == 9 + 5
    full = render_catalyst(Catalyst(frames=1, size=32, n_particles=500))
    assert 3 < len(full.particles) < 40


def test_still_particles_stay():
    settings = Catalyst(frames=20, size=64, n_particles=3, **STILL)
    stack = render_catalyst(settings).stack.read()
    np.testing.assert_array_equal(stack[0], stack[-1])


def test_steps_have_the_deviation_asked_for_and_small_ones_move_more():
    settings = Catalyst(
        frames=60, size=256, n_particles=24, radius_px=2, **STILL | {"motion_px": 0.4}
    )
    table = render_catalyst(settings).particles
    size = table.radius / settings.radius_px
    step = table.groupby("id")[["y", "x"]].diff()
    for some in (size < size.median(), size >= size.median()):
        scaled = step[some].mul(size[some], axis=0).dropna().to_numpy()
        # 1400 steps give a deviation to 1.9 %; four of those
        assert scaled.std() == pytest.approx(0.4, rel=0.08)


def test_film_and_particles_drift_together():
    settings = Catalyst(
        frames=9, size=64, n_particles=4, **STILL | {"drift_px": 0.5}, carbon_ramp=0
    )
    scene = render_catalyst(settings)
    step = scene.particles.groupby("id")[["y", "x"]].diff().dropna().to_numpy()
    assert np.hypot(*step.T) == pytest.approx(0.5)
    first, last = scene.stack.read()[[0, -1]].astype(float)
    moved = ndimage.shift(first, 8 * step[0], order=5)
    # splines of third and fifth order, where the frame had it all in both
    np.testing.assert_allclose(moved[8:-8, 8:-8], last[8:-8, 8:-8], atol=0.02)


def test_a_long_drift_brings_new_particles_and_keeps_some_in_sight():
    settings = Catalyst(frames=80, size=64, n_particles=10, drift_px=3, seed=2)
    scene = render_catalyst(settings)
    here = scene.particles.groupby("frame").size().reindex(range(80), fill_value=0)
    assert (scene.events.kind == "birth").sum() > 5
    # they share the film with its margin, 2.5 times the frame, and some merge
    assert here[40:].mean() > 1


def test_blinking_particles_are_dark_as_long_as_the_rates_say():
    settings = Catalyst(
        frames=80, size=128, n_particles=40, radius_px=2, **STILL | {"blink_rate": 0.1}
    )
    table = render_catalyst(settings).particles
    settled = table[table.frame > 20]
    # a two-state chain of rates 0.1 and 0.15 remembers for 4 frames: 40 x 59 states
    # count as one in seven, and tell the share of dark ones to 0.49 / sqrt(337)
    assert (~settled.visible).mean() == pytest.approx(0.4, abs=4 * 0.027)


def test_ripening_feeds_the_large_on_the_small_and_keeps_the_volume():
    settings = Catalyst(
        frames=60, size=128, n_particles=20, **STILL, ripening_rate=0.05, **BARE
    )
    scene, added = metal(settings)
    table = scene.particles
    total = (table.radius**3).groupby(table.frame).sum()
    # nobody merges: particles are scattered apart
    np.testing.assert_allclose(total, total[0], rtol=1e-9)
    assert (scene.events.kind == "death").sum() > 1
    first = table[table.frame == 0].set_index("id").radius
    final = table[table.frame == 59].set_index("id").radius
    assert final[first.idxmax()] > first.max()
    # light follows volume, but for the rim that cuts some and for saturation
    light = added.sum(axis=(1, 2), dtype=float)
    assert light[-1] == pytest.approx(light[0], rel=0.05)


def test_a_particle_of_half_the_mean_radius_shrinks_by_the_rate():
    radius = np.array([2.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0])
    busy = np.zeros(len(radius), bool)
    new, kept = ripened(radius, busy, rate=1e-3, mean=4, least=0.6)
    # the mean of 1 / r is an eleventh above 1 / mean; second order in the rate
    assert new[0] == pytest.approx(2 * (1 - 1e-3), abs=2 * 2e-4)
    assert kept.all()
    assert (new**3).sum() == pytest.approx((radius**3).sum(), rel=1e-12)


def test_new_particles_nucleate_and_grow():
    settings = Catalyst(frames=60, size=96, n_particles=0, birth_rate=0.2, **STILL)
    table = render_catalyst(settings).particles
    radius = table.sort_values("frame").groupby("id").radius
    grown = radius.size() > 30
    # 12 on average
    assert 3 <= len(radius) <= 24
    assert (radius.first() < 1).all()
    assert (radius.last()[grown] > 2).all()


def test_particles_take_up_the_atoms_they_meet():
    settings = Catalyst(
        frames=100,
        size=48,
        n_particles=4,
        n_atoms=60,
        atom_jump_rate=0.5,
        **STILL,
    )
    scene = render_catalyst(settings)
    merges = scene.events[scene.events.kind == "merge"]
    assert len(merges) > 5
    table = scene.particles
    atoms = table.radius == settings.probe_px
    content = np.where(atoms, (1 / 66.2) / 0.1**3, volume(table.radius.to_numpy()))
    total = table.assign(content=content).groupby("frame").content.sum()
    # single atoms and particles together keep their metal
    np.testing.assert_allclose(total, total[0], rtol=1e-9)


def test_a_shorter_movie_is_the_beginning_of_a_longer_one():
    short = render_catalyst(CROWD.model_copy(update={"frames": 4})).stack.read()
    long = render_catalyst(CROWD.model_copy(update={"frames": 9})).stack.read()
    np.testing.assert_array_equal(short, long[:4])


# -- the film ---------------------------------------------------------------------


def test_the_film_is_one_on_average_and_as_rough_as_asked_for():
    film = {"frames": 1, "size": 256, "n_particles": 0}
    rough = Catalyst(**film, carbon_texture=0.1, carbon_texture_px=3, carbon_ramp=0)
    frame = render_catalyst(rough).stack.read()[0]
    # (256 / (2 sqrt(pi) 3))^2, about 580 independent grains
    assert frame.mean() == pytest.approx(1, abs=4 * 0.1 / np.sqrt(580))
    assert frame.std() == pytest.approx(0.1, rel=4 / np.sqrt(2 * 580))
    ramp = Catalyst(**film, carbon_texture=0, carbon_ramp=0.5)
    frame = render_catalyst(ramp).stack.read()[0]
    slope = np.gradient(frame.astype(float))
    # half of the mean over the frame's edge, in float32
    np.testing.assert_allclose(np.hypot(*slope), 0.5 / 256, rtol=1e-3)


def test_a_hole_is_dark_and_nobody_sits_in_it():
    settings = Catalyst(
        frames=40, size=96, hole_px=25, n_particles=12, n_atoms=10, motion_px=1
    )
    scene, added = metal(settings)
    film = scene.stack.read() - added
    share = (film < 0.1).mean(axis=(1, 2))
    # its area, unless the rim of the frame cuts it
    assert 0.2 < share[0] * 96**2 / (np.pi * 25**2) < 1.05
    dark = ndimage.binary_erosion(film[0] < 0.1, iterations=2)
    first = scene.particles[scene.particles.frame == 0].round().astype(int)
    assert not dark[first.y, first.x].any()
    last = scene.particles[scene.particles.frame == 39].round().astype(int)
    dark = ndimage.binary_erosion(film[39] < 0.1, iterations=2)
    assert not dark[last.y, last.x].any()


def test_a_hole_that_leaves_no_carbon_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match="hole of at most 16 pixels") as refused:
        checked(Catalyst, {"size": 32, "width": 99, "hole_px": 17})
    assert "\n" not in str(refused.value)


def test_variations_reach_from_slow_to_fast_and_from_faint_to_bright():
    drawn = [vary_catalyst(Catalyst(), np.random.default_rng(i)) for i in range(200)]
    for name, low, high in [
        ("motion_px", 0.05, 2),
        ("contrast", 0.4, 7),
        ("radius_px", 2, 10),
        ("n_particles", 7, 40),
        ("carbon_texture", 0.03, 0.2),
    ]:
        values = np.array([getattr(settings, name) for settings in drawn])
        # log-uniform: one in twenty at least lies beyond
        assert (values < low).sum() > 3, name
        assert (values > high).sum() > 3, name
