from dataclasses import replace

import numpy as np
import pytest

from napari_lowdose.noise import (
    DETECTORS,
    Measured,
    NoiseMeasurement,
    PhotonTransfer,
    Source,
    add_noise,
    describe,
    measure_noise,
)
from napari_lowdose.objectives import OBJECTIVES, Fit, advice_sentences, advise


def exactly(value: float, source: Source = Source.MEASURED) -> Measured:
    return Measured(value, value, value, source)


def white() -> np.ndarray:
    correlation = np.zeros((5, 5))
    correlation[2, 2] = 1
    return correlation


COUNTING = NoiseMeasurement(
    gain=exactly(1.0),
    offset=exactly(0.0),
    readout_std=exactly(0.0),
    dose=exactly(0.5),
    transfer=PhotonTransfer(*np.ones((3, 4)), slope=1.0, intercept=0.0),
    correlation=white(),
    lags=np.array([1.0, 0.0, 0.0]),
    counting=True,
    n_frames=32,
)
ANALOGUE = replace(
    COUNTING,
    gain=Measured(2.0, 1.95, 2.05),
    offset=Measured(100.0, 99.0, 101.0),
    readout_std=Measured(4.0, 3.8, 4.2),
    dose=Measured(10.0, 9.0, 11.0),
    counting=False,
)


def with_neighbours(measurement: NoiseMeasurement, rho: float) -> NoiseMeasurement:
    correlation = white()
    correlation[2, 1] = correlation[2, 3] = rho
    return replace(measurement, correlation=correlation)


def fits(measurement: NoiseMeasurement) -> dict[str, Fit]:
    return {name: verdict.fit for name, verdict in advise(measurement).items()}


@pytest.mark.parametrize("measurement", [COUNTING, ANALOGUE])
def test_every_objective_judges_and_gives_a_reason(measurement):
    advice = advise(measurement)
    assert list(advice) == list(OBJECTIVES)
    for sentence in advice_sentences(measurement):
        assert sentence.endswith(".")
    assert all(verdict.reason for verdict in advice.values())


def test_what_suits_comes_first():
    order = [*Fit]
    for measurement in (COUNTING, ANALOGUE, with_neighbours(ANALOGUE, 0.4)):
        places = [order.index(fit) for fit in fits(measurement).values()]
        assert places == sorted(places)


def test_counts_are_for_thinning():
    assert fits(COUNTING)["thinning"] is Fit.SUITS
    assert fits(ANALOGUE)["thinning"] is Fit.SUITS  # once its detector is set
    assert "offset" in advise(ANALOGUE)["thinning"].reason


def test_thinning_needs_to_know_the_detector():
    quiet = replace(ANALOGUE, readout_std=Measured(0.4, 0.3, 0.5))
    assert fits(quiet)["thinning"] is Fit.SUITS
    vague = replace(quiet, gain=Measured(2.0, 1.0, 3.0))
    assert fits(vague)["thinning"] is Fit.AVOID
    assumed = replace(quiet, offset=Measured(0.0, 0.0, 90.0, Source.ASSUMED))
    assert "dark" in advise(assumed)["thinning"].reason


@pytest.mark.parametrize("measurement", [COUNTING, ANALOGUE])
@pytest.mark.parametrize("rho", [0.04, -0.04, 0.4])
def test_shared_noise_forbids_noise2void_and_thinning(measurement, rho):
    shared = fits(with_neighbours(measurement, rho))
    assert shared["noise2void"] is shared["thinning"] is Fit.AVOID
    assert shared["supervised"] is Fit.CAREFUL


def test_a_correlation_below_three_hundredths_is_let_pass():
    assert fits(with_neighbours(ANALOGUE, 0.02))["noise2void"] is Fit.SUITS


@pytest.mark.parametrize("measurement", [COUNTING, ANALOGUE])
def test_a_correlation_that_motion_may_make_forbids_nothing(measurement):
    moving = replace(with_neighbours(measurement, 0.4), motion=0.4)
    assert not moving.correlated
    assert not moving.correlation_told
    assert fits(moving)["noise2void"] is Fit.CAREFUL
    assert "could not be told" in advise(moving)["noise2void"].reason
    assert any("changes too much" in line for line in describe(moving))
    assert fits(replace(moving, motion=0.1))["noise2void"] is Fit.AVOID


def test_frames_of_different_scenes_tell_no_correlation():
    unlike = replace(ANALOGUE, readout_std=exactly(0.4), alike=False)
    assert fits(unlike)["thinning"] is fits(unlike)["noise2void"] is Fit.CAREFUL
    assert "could not be told" in advise(unlike)["thinning"].reason


def test_whole_counts_are_for_thinning_even_where_correlation_is_not_told():
    unlike = replace(with_neighbours(COUNTING, 0.4), alike=False, motion=1.0)
    assert fits(unlike)["thinning"] is Fit.SUITS


def test_a_gain_is_told_when_its_interval_is_within_a_quarter():
    assert ANALOGUE.gain_told
    assert not replace(ANALOGUE, gain=Measured(1.4e-6, 0.0, 0.3)).gain_told
    for reach, told in ((0.24, True), (0.26, False)):
        gain = Measured(2.0, 2.0 * (1 - reach), 2.0 * (1 + reach))
        assert replace(ANALOGUE, gain=gain).gain_told is told


def test_what_frames_share_makes_careful():
    shared = replace(ANALOGUE, lags=np.array([1.0, 0.2]))
    assert fits(shared)["noise2void"] is fits(shared)["supervised"] is Fit.CAREFUL


def test_sentences_name_what_matters():
    assert any("counts" in line for line in describe(COUNTING))
    assert any("0.5" in line for line in describe(COUNTING))
    analogue = " ".join(describe(ANALOGUE))
    for part in ("analogue", "2.00 ± 0.05", "100 ± 1", "4.0 ± 0.2", "independent"):
        assert part in analogue
    along = " ".join(describe(with_neighbours(ANALOGUE, 0.2)))
    assert "along rows" in along
    flawed = replace(
        ANALOGUE, saturated=0.02, clipped=0.03, drift=-0.3, defects=1e-3, n_frames=1
    )
    told = " ".join(describe(flawed))
    for part in ("2 %", "3 %", "falls by 30 %", "0.1 %", "one frame only"):
        assert part in told


@pytest.mark.parametrize(
    ("detector", "best", "worst"),
    [
        ("counting", "thinning", None),
        ("poisson_gaussian", "noise2void", None),
        ("stem_analogue", None, "noise2void"),
        ("ccd_scintillator", None, "noise2void"),
    ],
)
def test_detectors_get_the_advice_of_the_notes(clean, detector, best, worst):
    noisy, _ = add_noise(clean, DETECTORS[detector])
    judged = fits(measure_noise(noisy.read()))
    if best:
        assert judged[best] is Fit.SUITS
    if worst:
        assert judged[worst] is Fit.AVOID
