"""Denoise low-dose microscopy movies from three directions, and see what it beats.

A noisy (t, y, x) stack is sliced into frames (x-y), rows in time (x-t) and columns in
time (y-t); a small U-Net denoises each family of slices and their estimates are fused.
What persists in time survives, what one frame's noise invented does not.
"""

from importlib import import_module

_HOME = {
    "Catalyst": "specimens",
    "Denoiser": "denoiser",
    "Denoising": "config",
    "Noise": "noise",
    "Plane": "config",
    "Stack": "stack",
    "Training": "config",
    "add_noise": "noise",
    "fit": "training",
    "load_denoiser": "training",
    "read_stack": "io",
    "score": "metrics",
    "write_stack": "io",
}
__all__ = list(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
