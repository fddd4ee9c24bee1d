import numpy as np
import pytest
from scipy.constants import e
from scipy.linalg import solve_banded

from napari_lowdose.schema import checked
from napari_lowdose.specimens.pn_junction import (
    PNJunction,
    Shown,
    cut_lamella,
    render_pn_junction,
)
from napari_lowdose.specimens.pn_junction.bias import Waveform, course
from napari_lowdose.specimens.pn_junction.depletion import (
    THERMAL_VOLTAGE,
    Junction,
    debye_length,
    interaction_constant,
    wavelength,
)
from napari_lowdose.specimens.pn_junction.lamella import Geometry
from napari_lowdose.specimens.pn_junction.ranges import vary_pn_junction

_SILICON = 11.7 * 8.8541878128e-12
_LINE = np.linspace(-4e-7, 4e-7, 16001)


def _lamella(**settings):
    settings = PNJunction(**settings)
    return cut_lamella(settings, np.random.default_rng(settings.seed))


@pytest.mark.parametrize(
    ("acceptors", "donors", "widths_nm", "fields_mv_m"),
    [
        (1e23, 1e23, (106, 147, 218, 315), (8.2, 11.4, 16.8, 24.3)),
        (1e24, 1e24, (37.8, 49.6, 71.1, 101), (29.2, 38.4, 55, 78)),
        (1e25, 1e24, (29.5, 37.9, 53.5, 75.5), (41.5, 53.3, 75, 106)),
        (1e25, 1e25, (13.2, 16.6, 23.1, 32.5), (102, 129, 179, 251)),
    ],
)
def test_widths_and_fields_are_the_tabulated_ones(
    acceptors, donors, widths_nm, fields_mv_m
):
    junction = Junction(acceptors, donors)
    biases = (0.4, 0, -1, -3)
    # the table (algorithm notes, section 25.1) is rounded to three digits or two
    widths = [junction.width(bias) * 1e9 for bias in biases]
    assert widths == pytest.approx(widths_nm, rel=0.005)
    fields = [junction.peak_field(bias) * 1e-6 for bias in biases]
    assert fields == pytest.approx(fields_mv_m, rel=0.007)


def test_the_known_answer_of_an_even_junction():
    junction = Junction(1e24, 1e24)
    # algorithm notes, section 30, number 27
    assert junction.width(0) == pytest.approx(49.6e-9, rel=0.005)
    assert junction.peak_field(0) == pytest.approx(38.4e6, rel=0.005)
    assert junction.depths(0) == pytest.approx((24.8e-9, 24.8e-9), rel=0.005)


@pytest.mark.parametrize(
    ("density", "length_nm"), [(1e23, 12.9), (1e24, 4.1), (1e25, 1.3)]
)
def test_debye_lengths_are_the_tabulated_ones(density, length_nm):
    # the table has two digits at least
    assert debye_length(density) * 1e9 == pytest.approx(length_nm, rel=0.01)


@pytest.mark.parametrize(
    ("beam_kv", "wavelength_pm", "rad_per_v_um", "step_rad"),
    [
        (60, 4.866, 11.36, 3.17),
        (80, 4.176, 10.09, 2.81),
        (200, 2.508, 7.29, 2.03),
        (300, 1.969, 6.53, 1.82),
    ],
)
def test_beam_constants_are_the_tabulated_ones(
    beam_kv, wavelength_pm, rad_per_v_um, step_rad
):
    constant = interaction_constant(beam_kv)
    # half a unit of the tables' last digit
    assert wavelength(beam_kv) * 1e12 == pytest.approx(wavelength_pm, abs=0.0005)
    assert constant * 1e-6 == pytest.approx(rad_per_v_um, abs=0.005)
    assert constant * 0.93 * 300e-9 == pytest.approx(step_rad, abs=0.005)


@pytest.mark.parametrize("blur", [0.0, 5e-9])
@pytest.mark.parametrize("bias", [0.4, 0.0, -2.0])
@pytest.mark.parametrize("donors", [1e23, 1e24])
def test_the_field_integrates_to_the_barrier(donors, bias, blur):
    junction = Junction(1e24, donors)
    field = junction.electric_field(_LINE, bias, blur=blur)
    barrier = junction.built_in_potential - bias
    # the trapezoidal rule on 0.05 nm steps of a profile with one kink
    assert -np.trapezoid(field, _LINE) == pytest.approx(barrier, rel=1e-5)
    potential = junction.potential(_LINE, bias, blur=blur)
    assert potential[0] == pytest.approx(0, abs=1e-5)
    assert potential[-1] == pytest.approx(barrier, rel=1e-5)


@pytest.mark.parametrize("donors", [1e23, 1e24])
def test_charge_field_and_potential_are_derivatives_of_each_other(donors):
    junction = Junction(1e24, donors)
    field = junction.electric_field(_LINE, -1.0, blur=1e-9)
    slope = np.gradient(junction.potential(_LINE, -1.0, blur=1e-9), _LINE)
    # central differences of a 0.05 nm step miss h^2 / 6 of a third derivative: 1e-3
    np.testing.assert_allclose(slope, -field, atol=1e-3 * abs(field).max())
    charge = junction.charge_density(_LINE, -1.0, blur=1e-9)
    divergence = _SILICON * np.gradient(field, _LINE)
    np.testing.assert_allclose(divergence, charge, atol=2e-3 * abs(charge).max())
    # the bared dopants, with the sign of their ions; a layer as thin as 8 nm between
    # soft borders is nowhere quite bare
    assert charge.min() == pytest.approx(-e * 1e24, rel=0.03)
    assert charge.max() == pytest.approx(e * donors, rel=0.01)
    assert np.trapezoid(charge, _LINE) == pytest.approx(0, abs=1e-6 * e * 1e24)


@pytest.mark.parametrize("donors", [1e23, 1e24, 1e25])
def test_the_smoothed_field_follows_the_poisson_boltzmann_equation(donors):
    junction = Junction(1e24, donors)
    position, field = _poisson_boltzmann(1e24, donors)
    error = -junction.electric_field(position, 0.0) - field
    inside = field > 0.01 * field.max()
    # measured 0.4 to 0.6 % of the peak; plain triangles are off by 3 to 4 %
    assert np.sqrt(np.mean(error[inside] ** 2)) < 0.01 * field.max()


def _poisson_boltzmann(acceptors, donors):
    """Solve the full equation without bias, by Newton's method."""
    intrinsic, half = 1e16, 2.5 * Junction(acceptors, donors).width(0)
    position, step = np.linspace(-half, half, 4001, retstep=True)
    dopants = np.where(position > 0, donors, -acceptors)
    dopants[2000] = (donors - acceptors) / 2
    volts = THERMAL_VOLTAGE * np.arcsinh(dopants / 2 / intrinsic)
    for _ in range(60):
        holes = intrinsic * np.exp(-volts / THERMAL_VOLTAGE)
        electrons = intrinsic * np.exp(volts / THERMAL_VOLTAGE)
        charge = e / _SILICON * (holes - electrons + dopants)[1:-1]
        residual = np.diff(volts, 2) / step**2 + charge
        carriers = e / _SILICON * (holes + electrons)[1:-1] / THERMAL_VOLTAGE
        bands = np.full((3, 3999), 1 / step**2)
        bands[1] = -2 / step**2 - carriers
        change = solve_banded((1, 1), bands, -residual)
        volts[1:-1] += np.clip(change, -2 * THERMAL_VOLTAGE, 2 * THERMAL_VOLTAGE)
    assert abs(change).max() < 1e-9
    return position, np.gradient(volts, step)


def test_divergence_of_a_turned_field_is_its_charge():
    lamella = _lamella(rotation_deg=30.0, blur_std_nm=4.0)
    field_y, field_x = lamella.electric_field(-1.0)
    divergence = np.gradient(field_y, axis=0) + np.gradient(field_x, axis=1)
    charge = lamella.charge_density(-1.0)
    # central differences over 2 px of borders that are 7 nm (3.5 px) soft, except the
    # middle one, which is 2 px soft: compared where they see it whole
    error = (_SILICON * divergence / lamella.pixel - charge)[1:-1, 1:-1]
    assert np.sqrt(np.mean(error**2)) < 0.03 * abs(charge).max()


def test_the_field_points_from_n_to_p():
    field_y, field_x = _lamella(rotation_deg=0.0).electric_field(-1.0)
    assert field_x.min() < -40e6  # volts per metre; p lies to the left
    assert field_x.max() < 1  # rounding, beside 5e7
    np.testing.assert_allclose(field_y, 0, atol=1e-6 * abs(field_x).max())


def test_the_phase_steps_by_barrier_and_live_thickness():
    lamella = _lamella(thickness_nm=300, dead_layer_nm=50, thickness_ramp=0.0)
    phase = lamella.phase(0.0, beam_kv=300.0)
    step = 6.526e6 * lamella.junction.built_in_potential * 200e-9
    # 2 to 3 widths of the depletion region lie on each side
    assert phase.max() - phase.min() == pytest.approx(step, rel=1e-3)


def test_lines_keep_their_shape():
    implant = _lamella(geometry=Geometry.IMPLANT, implant_radius_nm=60.0)
    # nowhere is it further inside than its radius, and it has a way to go outside
    assert 55e-9 < implant.distance.max() <= 60e-9
    assert implant.distance.min() < -60e-9
    wavy = _lamella(geometry=Geometry.WAVY, wave_amplitude_nm=8.0, rotation_deg=0.0)
    flat = _lamella(geometry=Geometry.STRAIGHT, rotation_deg=0.0)
    crossing = [np.abs(m.distance).argmin(axis=1) for m in (wavy, flat)]
    # 16 nm from crest to trough are 8 px of 2 nm, which the grid rounds
    assert np.ptp(crossing[0]) == pytest.approx(8, abs=1)
    assert np.ptp(crossing[1]) == 0


def test_borders_breathe_with_the_bias():
    settings = PNJunction(
        shown=Shown.CHARGE,
        rotation_deg=0.0,
        bias_period_frames=16.0,
        frames=16,
        diffraction_contrast=0.0,
        thickness_ramp=0.0,
    )
    movie = render_pn_junction(settings).stack.read()
    bared = (np.abs(movie[:, 64] - 1) > 0.5).sum(axis=1)
    drop = settings.junction.width(settings.lowest_bias) / 2e-9
    least = settings.junction.width(settings.highest_bias) / 2e-9
    # thermal voltages take 1 to 3 % of a width, and each border rounds to a pixel
    assert bared.max() == pytest.approx(drop, abs=2)
    assert bared.min() == pytest.approx(least, abs=2.5)


@pytest.mark.parametrize("shown", Shown)
def test_the_contrast_is_what_the_strongest_signal_adds(shown):
    settings = PNJunction(
        shown=shown,
        contrast=0.8,
        frames=32,
        rotation_deg=90.0 if shown is Shown.FIELD_Y else 0.0,
        diffraction_contrast=0.0,
        thickness_ramp=0.0,
    )
    added = render_pn_junction(settings).stack.read() - 1
    # a blur of 0.6 px takes a few per cent off a kink; no frame need meet the extreme
    # bias exactly
    assert np.abs(added).max() == pytest.approx(0.8, rel=0.05)
    if shown.upward:
        assert added.min() >= -1e-6  # float32


@pytest.mark.parametrize("shown", Shown)
@pytest.mark.parametrize("geometry", Geometry)
def test_a_junction_of_any_kind_is_bright_and_without_particles(shown, geometry):
    for frames, size, width in ((3, 24, 40), (1, 8, 0)):
        settings = PNJunction(
            shown=shown, geometry=geometry, frames=frames, size=size, width=width
        )
        scene = render_pn_junction(settings)
        assert scene.stack.read().min() >= 0
        assert len(scene.particles) == len(scene.events) == 0


@pytest.mark.parametrize("waveform", Waveform)
def test_a_bias_stays_between_its_levels_and_comes_near_both(waveform):
    rng = np.random.default_rng(1)
    wave = course(waveform, 400, rng, period=20.0, settling=1.0)
    assert np.abs(wave).max() <= 1
    assert wave.max() > 0.95
    assert wave.min() < -0.95


def test_a_step_settles_with_its_time_constant():
    rng = np.random.default_rng(0)
    wave = course(Waveform.STEP, 200, rng, period=100.0, settling=8.0)
    rise = np.flatnonzero(np.diff(wave) > 0.05)[0]
    gap = 1 - wave[rise : rise + 20]
    # an exponential keeps the same share of its gap in each frame
    np.testing.assert_allclose(gap[1:] / gap[:-1], np.exp(-1 / 8), rtol=1e-9)


def test_a_telegraph_flips_as_often_as_its_period_says():
    rng = np.random.default_rng(0)
    wave = course(Waveform.TELEGRAPH, 20_000, rng, period=20.0, settling=0.0)
    flips = np.count_nonzero(np.diff(wave))
    # 2000 flips on average, whose number has a standard deviation of 42
    assert flips == pytest.approx(2000, abs=4 * 42)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"bias_volts": 0.5, "swing_volts": 0.4}, "below 0.85 V"),
        ({"geometry": "implant", "implant_radius_nm": 20.0}, "implant one has 20 nm"),
        ({"geometry": "wavy", "wave_amplitude_nm": 100.0}, "bends with a radius"),
        ({"dead_layer_nm": 150.0}, "285 nm at its thin end"),
        ({"shown": "charge", "contrast": 2.0}, "at most 1 for the charge"),
    ],
)
def test_what_cannot_be_is_refused(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        checked(PNJunction, settings)


@pytest.mark.parametrize("shown", Shown)
@pytest.mark.parametrize("pixel_size_nm", [1.0, 3.0, 10.0])
def test_varied_junctions_fit_the_field_of_view(pixel_size_nm, shown):
    settings = PNJunction(shown=shown, pixel_size_nm=pixel_size_nm, frames=2, size=96)
    rng = np.random.default_rng(7)
    for _ in range(5):
        varied = vary_pn_junction(settings, rng)
        assert varied.shown is shown
        assert varied.pixel_size_nm == pixel_size_nm
        widest = varied.junction.width(varied.lowest_bias) * 1e9
        assert widest < 0.7 * 96 * pixel_size_nm
        assert render_pn_junction(varied).stack.read().min() >= 0


@pytest.mark.parametrize("pixel_size_nm", [0.05, 500.0])
def test_varied_junctions_are_valid_where_none_fits(pixel_size_nm):
    settings = PNJunction(pixel_size_nm=pixel_size_nm, frames=2, size=8)
    varied = vary_pn_junction(settings, np.random.default_rng(0))
    assert np.isfinite(render_pn_junction(varied).stack.read()).all()
