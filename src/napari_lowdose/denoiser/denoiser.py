"""A fitted denoiser: what a model file holds and what a stack is fed to."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

from napari_lowdose.config import Compute, Denoising, Fusion, Plane
from napari_lowdose.denoiser.denoised import Denoised, Progress, exhausted, part_of
from napari_lowdose.denoiser.independent import independent
from napari_lowdose.denoiser.kept import Kept, Units
from napari_lowdose.denoiser.looking import Looking, look_after_look
from napari_lowdose.errors import LowDoseError
from napari_lowdose.fusion import disagreement, fuse
from napari_lowdose.networks import arithmetic
from napari_lowdose.networks.look import Channel, Look
from napari_lowdose.noise import INDEPENDENT, SharedNoise, given_back
from napari_lowdose.planes import usable_planes


@dataclass(frozen=True)
class Denoiser:
    """A fitted denoiser: what a model file holds and what a stack is fed to.

    Parameters
    ----------
    normalizer
        Map between counts and what the networks see, fitted on the stack at hand.
    looks
        The first one sees the noisy stack, a later one also what was seen before.
    fusion
        How the planes' estimates become one. A learned fusion is that of the last look;
        all others are of the first look, where the planes look on their own.
    covariance
        Of the planes' errors at validation, for the inverse-variance fusion.
    keeps_mean
        Whether the result's mean is made that of the stack.
    both_ways
        Whether the stack is also denoised backwards, and both results averaged.
    puts_back
        Whether what of the scene stands out of a learned fusion's residual is added.
    removes_lines
        Whether noise that rows or columns of frames share is taken off first.
    shared
        How the noise of voxels is: it is made independent first, for which `normalizer`
        is, and given back in the end.
    tile_px
        Edge of the tiles slices are cut into; 0 as large as memory allows.
    compute
        Device, precision and threads.

    References
    ----------
    Tri-directional denoising of time-series images (one look, mean).
    """

    normalizer: Units
    looks: tuple[Look, ...]
    fusion: Fusion = Fusion.AUTO
    covariance: Float[ndarray, "n n"] | None = None
    keeps_mean: bool = False
    both_ways: bool = False
    puts_back: bool = False
    removes_lines: bool = False
    shared: SharedNoise = INDEPENDENT
    tile_px: int = 0
    compute: Compute = field(default_factory=Compute)

    def __call__(self, stack: Real[ndarray, "t y x"]) -> Float[ndarray, "t y x"]:
        """Denoise a stack of counts."""
        return exhausted(self.denoising(stack, each_plane=False)).fused

    def denoised(self, stack: Real[ndarray, "t y x"]) -> Denoised:
        """Denoise a stack of counts, also by each plane on its own."""
        return exhausted(self.denoising(stack))

    def denoising(
        self, stack: Real[ndarray, "t y x"], *, each_plane: bool = True
    ) -> Generator[Progress, None, Denoised]:
        """Denoise, telling the progress; leaving early is safe."""
        around = float(self.normalizer.inverse(np.zeros(1, np.float32))[0])
        stack, _ = independent(
            stack, self.shared, around, remove_lines=self.removes_lines
        )
        seen = yield from self._all_ways(stack, each_plane)
        if self.shared:
            for estimate in (seen.fused, *seen.planes.values()):
                given_back(estimate, self.shared, around)
        return seen

    def _all_ways(
        self, stack: Real[ndarray, "t y x"], each_plane: bool
    ) -> Generator[Progress, None, Denoised]:
        """Denoise in the order of the frames, and backwards if that is asked for."""
        if not self.both_ways:
            return (yield from self._one_way(stack, each_plane))
        there = yield from part_of(self._one_way(stack, each_plane), 0, 2)
        back = yield from part_of(self._one_way(stack[::-1], each_plane), 1, 2)
        there.average_with_backwards(back)
        return there

    def _one_way(
        self, stack: Real[ndarray, "t y x"], each_plane: bool
    ) -> Generator[Progress, None, Denoised]:
        """Denoise in the order of the frames."""
        if self.learned:
            looking = self._looking(stack)
            seen = yield from look_after_look(
                looking,
                self.looks,
                each_plane=each_plane,
                put_back=self.puts_back,
            )
            self._keep_mean(seen.fused, stack)
            return seen
        return (yield from self._ruled(stack))

    @property
    def planes(self) -> tuple[Plane, ...]:
        """The planes that look at the noisy stack."""
        return tuple(self.looks[0].networks)

    @property
    def learned(self) -> bool:
        """Whether the networks themselves weigh the planes."""
        able = len(self.planes) > 1 and self.looks[-1].weighs
        return able and self.fusion in (Fusion.AUTO, Fusion.LEARNED)

    @property
    def rule(self) -> Fusion:
        """The fusion that is used."""
        if self.learned:
            return Fusion.LEARNED
        return Fusion.MEAN if self.fusion is Fusion.AUTO else self.fusion

    def limited_to(self, denoising: Denoising, n_frames: int) -> Denoiser:
        """Keep the planes that are asked for and make sense for so many frames.

        Raises
        ------
        LowDoseError
            If the model holds none of them, or cannot fuse as is asked.
        """
        networks = self.looks[0].networks
        depth = max(int(getattr(n, "depth", 0)) for n in networks.values())
        wanted = usable_planes(denoising.planes, n_frames, depth)
        planes = [plane for plane in wanted if plane in networks]
        if not planes:
            have, want = ", ".join(self.planes), ", ".join(wanted)
            raise LowDoseError(
                f"expected a model with networks for {want}, got one for {have}; "
                "choose other planes or train them"
            )
        kept = {p: network for p, network in networks.items() if p in planes}
        first = replace(self.looks[0], networks=kept)
        # Later looks have learned to see what all planes made of the stack.
        complete = len(planes) == len(networks)
        limited = replace(
            self,
            looks=(first, *(self.looks[1:] if complete else ())),
            fusion=denoising.fusion,
            covariance=self.covariance if complete else None,
            # Single frames look the same backwards.
            both_ways=denoising.both_ways and planes != [Plane.XY],
            puts_back=self.puts_back and denoising.put_back,
            removes_lines=self.removes_lines and denoising.remove_lines,
            tile_px=denoising.tile_px,
            compute=denoising.compute,
        )
        limited._refuse_impossible_fusion(complete)
        return limited

    def _refuse_impossible_fusion(self, complete: bool) -> None:
        if len(self.planes) < 2:
            return
        if self.fusion is Fusion.LEARNED and not (self.looks[-1].weighs and complete):
            raise LowDoseError(
                "expected a base model and all of its directions for the learned "
                "fusion; choose another fusion, or such a model"
            )
        if self.fusion is Fusion.INVERSE_VARIANCE and self.covariance is None:
            raise LowDoseError(
                "expected a model that knows how large its directions' errors are, as "
                "all trained on stacks of enough frames do; choose another fusion"
            )

    def _ruled(
        self, stack: Real[ndarray, "t y x"]
    ) -> Generator[Progress, None, Denoised]:
        """Fuse the planes of the first look by a rule."""
        looking = self._looking(stack)
        look = looking.told(self.looks[0])
        kept: dict[Channel, Kept] = {}
        if any(channel is Channel.WIENER for channel, _ in look.sees):
            kept[Channel.WIENER] = looking.filtered()
        kept.update(looking.beside(look))
        seen = {p: np.empty(stack.shape, np.float32) for p in look.networks}
        done, total = 0, sum(stack.shape[plane.axis] for plane in look.networks)
        for plane in look.networks:
            target = np.moveaxis(seen[plane], plane.axis, 0)
            for start, stop, estimate, _ in looking.from_plane(look, kept, plane):
                target[start:stop] = estimate.numpy(force=True)
                yield Progress(done + stop, total)
            done += stack.shape[plane.axis]
        # Each rule commutes with an affine map.
        planes = {plane: self.normalizer.inverse(seen.pop(plane)) for plane in [*seen]}
        if len(planes) < 2:
            (only,) = planes.values()
            fused = only.copy() if self.keeps_mean else only
            self._keep_mean(fused, stack)
            return Denoised(fused, planes, None)
        fused = fuse(planes, self.rule, covariance=self.covariance)
        self._keep_mean(fused, stack)
        return Denoised(fused, planes, disagreement(planes))

    def _looking(self, stack: Real[ndarray, "t y x"]) -> Looking:
        return Looking(stack, self.normalizer, arithmetic(self.compute), self.tile_px)

    def _keep_mean(
        self, fused: Float[ndarray, "t y x"], stack: Real[ndarray, "t y x"]
    ) -> None:
        """Give the result, in place, the stack's mean, which so many counts tell."""
        if self.keeps_mean:
            wanted, found = (float(a.mean(dtype=np.float64)) for a in (stack, fused))
            fused += np.float32(wanted - found)
