"""What the user decides about a movie of a PN junction."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from annotated_types import Ge, Gt, Le
from pydantic import model_validator

from napari_lowdose.config import Share
from napari_lowdose.specimens.pn_junction.bias import Waveform
from napari_lowdose.specimens.pn_junction.depletion import Junction
from napari_lowdose.specimens.pn_junction.lamella import Geometry, Line
from napari_lowdose.specimens.specimen import Movie

# Nearer to the built-in potential the junction conducts: nothing is depleted.
_LEAST_BARRIER_VOLTS = 0.1


class Shown(StrEnum):
    """What of the junction a movie shows."""

    FIELD = "field"  # strength of the electric field
    FIELD_X = "field_x"  # its part along x, as differential phase contrast sees it
    FIELD_Y = "field_y"
    CHARGE = "charge"
    PHASE = "phase"  # of an electron wave, as reconstructed from a hologram
    HOLOGRAM = "hologram"  # the fringes themselves

    @property
    def upward(self) -> bool:
        """Whether it is nowhere below the background."""
        return self in (Shown.FIELD, Shown.PHASE)


class PNJunction(Movie):
    """A movie of the electric field in a PN junction under a changing bias."""

    pixel_size_nm: Annotated[float, Gt(0)] = 2.0
    """Edge of a pixel in the sample plane, in nanometres."""

    shown: Shown = Shown.FIELD
    """What is seen: the field or a part of it, the charge, the phase, or fringes."""

    contrast: Annotated[float, Gt(0), Le(1000)] = 1.0
    """Brightness that the strongest signal adds, in units of the background."""

    geometry: Geometry = Geometry.STRAIGHT
    """Shape of the line where p meets n."""

    rotation_deg: Annotated[float, Ge(0), Le(360)] = 20.0
    """Angle of the way from p to n against the x axis, in degrees."""

    wave_amplitude_nm: Annotated[float, Ge(0)] = 8.0
    """How far a wavy junction leaves the straight line, in nanometres."""

    wave_length_nm: Annotated[float, Gt(0)] = 250.0
    """Length of one wave of a wavy junction, in nanometres."""

    implant_radius_nm: Annotated[float, Gt(0)] = 60.0
    """Radius of an implant's round end, in nanometres."""

    acceptor_density: Annotated[float, Ge(1e-3), Le(100)] = 1.0
    """Acceptors on the p side, in units of 1e18 per cubic centimetre."""

    donor_density: Annotated[float, Ge(1e-3), Le(100)] = 1.0
    """Donors on the n side, in units of 1e18 per cubic centimetre."""

    waveform: Waveform = Waveform.SINE
    """How the bias changes in time."""

    bias_volts: Annotated[float, Ge(-100), Le(1)] = -1.0
    """Mean bias in volts; a negative one widens the depletion region."""

    swing_volts: Annotated[float, Ge(0), Le(100)] = 1.2
    """How far the bias swings to either side of its mean, in volts."""

    bias_period_frames: Annotated[float, Ge(2), Le(100_000)] = 32.0
    """Frames from one swing of the bias to the next."""

    bias_settling_frames: Annotated[float, Ge(0), Le(100_000)] = 4.0
    """Frames in which a step of the bias settles; 0: at once."""

    thickness_nm: Annotated[float, Gt(0), Le(10_000)] = 300.0
    """Mean thickness of the specimen, in nanometres."""

    thickness_ramp: Share = 0.1
    """Relative change of the thickness across the frame."""

    dead_layer_nm: Annotated[float, Ge(0), Le(1000)] = 25.0
    """Thickness without field at each surface, in nanometres."""

    beam_kv: Annotated[float, Ge(10), Le(3000)] = 300.0
    """Acceleration voltage behind a hologram, in kilovolts."""

    fringe_px: Annotated[float, Ge(2.5), Le(8192)] = 6.0
    """Spacing of a hologram's fringes, in pixels."""

    blur_std_nm: Annotated[float, Ge(0), Le(1000)] = 1.0
    """Standard deviation of the microscope's blur, in nanometres."""

    diffraction_contrast: Share = 0.05
    """Relative standard deviation of the specimen's own uneven brightness."""

    @property
    def junction(self) -> Junction:
        """The junction's one-dimensional physics, in SI units."""
        return Junction(self.acceptor_density * 1e24, self.donor_density * 1e24)

    @property
    def lowest_bias(self) -> float:
        """The bias that depletes most, in volts."""
        return self.bias_volts - self.swing_volts

    @property
    def highest_bias(self) -> float:
        """The bias that depletes least, in volts."""
        return self.bias_volts + self.swing_volts

    def line(self, phase: float = 0.0) -> Line:
        """Draw the line where p meets n, around the origin, in metres."""
        return Line(
            self.geometry,
            self.wave_amplitude_nm * 1e-9,
            self.wave_length_nm * 1e-9,
            phase,
            self.implant_radius_nm * 1e-9,
            tip=0.15 * min(self.shape) * self.pixel_size_nm * 1e-9,
        )

    @model_validator(mode="after")
    def _keeps_a_barrier(self) -> PNJunction:
        limit = self.junction.built_in_potential - _LEAST_BARRIER_VOLTS
        if self.highest_bias >= limit:
            raise ValueError(
                f"expected a bias below {limit:.2f} V, from where this junction "
                f"conducts, but bias_volts + swing_volts is {self.highest_bias:.4g} V; "
                "lower one of them"
            )
        return self

    @model_validator(mode="after")
    def _bends_gently(self) -> PNJunction:
        radius = self.line().bending_radius
        reach = max(self.junction.depths(self.lowest_bias))
        if radius < reach:
            raise ValueError(
                f"expected a line that bends with a radius of at least "
                f"{reach * 1e9:.4g} nm, as deep as the depletion region, but this "
                f"{self.geometry} one has {radius * 1e9:.4g} nm; bend it less or raise "
                "the lower dopant density"
            )
        return self

    @model_validator(mode="after")
    def _has_a_live_core(self) -> PNJunction:
        thinnest = self.thickness_nm * (1 - self.thickness_ramp / 2)
        if 2 * self.dead_layer_nm >= thinnest:
            raise ValueError(
                f"expected two dead layers thinner than the specimen, which is "
                f"{thinnest:.4g} nm at its thin end, but got {self.dead_layer_nm:.4g} "
                "nm each; lower dead_layer_nm or raise thickness_nm"
            )
        return self

    @model_validator(mode="after")
    def _stays_bright(self) -> PNJunction:
        if self.contrast > 1 and not self.shown.upward:
            raise ValueError(
                f"expected a contrast of at most 1 for the {self.shown}, which goes "
                f"below the background too, but got {self.contrast:.4g}; lower contrast"
            )
        return self
