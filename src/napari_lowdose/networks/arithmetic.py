"""On which device, and in which precision, convolutions are computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from napari_lowdose.config import Compute, Device, Precision


@dataclass(frozen=True)
class Arithmetic:
    """A device and the number format of the convolutions on it."""

    device: torch.device
    dtype: torch.dtype

    def autocast(self) -> torch.autocast:
        """Compute convolutions in `dtype`; a context manager."""
        return torch.autocast(
            self.device.type, self.dtype, enabled=self.dtype is not torch.float32
        )

    @property
    def needs_loss_scaling(self) -> bool:
        """Whether small gradients would vanish: float16 has few exponent bits."""
        return self.dtype is torch.float16

    def described(self) -> dict[str, str | int]:
        """Name device and precision and count the threads, for people."""
        return {
            "device": self.device.type,
            "precision": str(self.dtype).removeprefix("torch."),
            "threads": torch.get_num_threads(),
        }

    def on_device(self, module: Any) -> Any:  # noqa: ANN401 - a module, or a tensor
        """Move to the device, in the layout that its convolutions want."""
        return module.to(self.device, memory_format=layout(self.device))

    @property
    def fuses(self) -> bool:
        """Whether an optimiser may take all steps of all weights at once."""
        return self.device.type in ("cpu", "cuda")


def layout(device: torch.device) -> torch.memory_format:
    """Give the order of pixels and channels that convolutions on a device want.

    Channels come last, but on Apple's GPUs: there gradients failed with "view size is
    not compatible" (PyTorch issue 140902), and slices were misread (issue 180984).
    """
    return torch.contiguous_format if device.type == "mps" else torch.channels_last


def arithmetic(compute: Compute) -> Arithmetic:
    """Turn the user's wish into what this machine has; set the threads if asked.

    Raises
    ------
    ValueError
        If the asked device is not there.
    """
    if compute.threads:
        torch.set_num_threads(compute.threads)
    device = _device(compute.device)
    return Arithmetic(device, _dtype(compute.precision, device))


def _device(wish: Device) -> torch.device:
    there = {
        Device.CUDA: torch.cuda.is_available(),
        # Before torch 2.5 autocast refused MPS, even to be switched off.
        Device.MPS: torch.backends.mps.is_available()
        and torch.amp.is_autocast_available("mps"),
        Device.CPU: True,
    }
    if wish is Device.AUTO:
        wish = next(device for device, present in there.items() if present)
    if not there[wish]:
        found = ", ".join(device for device, present in there.items() if present)
        raise ValueError(f"device: expected one that is there ({found}), got {wish}")
    return torch.device(wish.value)


def _dtype(wish: Precision, device: torch.device) -> torch.dtype:
    if wish is not Precision.AUTO:
        dtype: torch.dtype = getattr(torch, wish.value)
        return dtype
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if device.type == "cpu" and _cpu_multiplies_bfloat16():
        return torch.bfloat16
    return torch.float32


def _cpu_multiplies_bfloat16() -> bool:
    # Emulated bfloat16 is slower than float32, so only processors with the
    # instructions count. Older torch cannot tell: float32 is always right.
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
