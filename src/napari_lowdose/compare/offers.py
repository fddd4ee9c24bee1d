"""What may be compared on a stack, and why some of it cannot run there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from napari_lowdose.classical import BASELINES, bm4d
from napari_lowdose.compare.method import Method
from napari_lowdose.compare.methods import methods_of
from napari_lowdose.compare.model_method import OpenedModel
from napari_lowdose.compare.result import Kind
from napari_lowdose.config import Comparison, Denoising
from napari_lowdose.shipped import BASE_MODELS, DEFAULT, model_path, shipped_model
from napari_lowdose.stack import Stack

_ORDER = (Kind.BASELINE, Kind.MODEL, Kind.FILE)  # as `methods_of` lists them


@dataclass(frozen=True)
class Offer:
    """Something that may be compared with others.

    Parameters
    ----------
    kind
        What it is.
    source
        The name of a baseline, the name or file of a model; for a result made
        elsewhere, whatever tells it from others.
    name
        What the user calls it.
    summary
        What it does, in one sentence.
    usual
        Whether it is compared unless the user says otherwise.
    missing
        What must be installed first, in one sentence; empty if nothing.
    stack
        The result made elsewhere.
    """

    kind: Kind
    source: str
    name: str = field(compare=False)
    summary: str = field(default="", compare=False)
    usual: bool = field(default=False, compare=False)
    missing: str = field(default="", compare=False)
    stack: Stack | None = field(default=None, compare=False)

    @property
    def key(self) -> tuple[Kind, str]:
        """Tell it from all others, without holding a stack."""
        return self.kind, self.source


@dataclass(frozen=True)
class Obstacle:
    """Why something cannot run on a stack.

    Parameters
    ----------
    words
        The reason, as short as a row of a list has room for.
    sentence
        The same for whoever asks.
    """

    words: str
    sentence: str


def baseline_offers() -> list[Offer]:
    """List the classical filters; also one that could be, but is not installed."""
    usual = Comparison().baselines
    offers = [
        Offer(Kind.BASELINE, name, _words(name), baseline.summary, name in usual)
        for name, baseline in BASELINES.items()
    ]
    if "bm4d" not in BASELINES:
        why = "expected the package bm4d, which is not installed; pip install bm4d"
        summary = bm4d.BM4D.summary
        offers.append(Offer(Kind.BASELINE, "bm4d", "bm4d", summary, missing=why))
    return offers


def model_offers(own: Iterable[Path]) -> list[Offer]:
    """List the models of the package, then the user's own that are no such."""
    base = [
        Offer(Kind.MODEL, name, name, _sentence(model.summary), name == DEFAULT)
        for name, model in BASE_MODELS.items()
    ]
    files = [path for path in dict.fromkeys(own) if not shipped_model(path)]
    return base + [Offer(Kind.MODEL, str(path), path.stem, str(path)) for path in files]


def own_offer(stack: Stack, source: str) -> Offer:
    """Offer a result that was made elsewhere."""
    summary = f"{stack.name}: a layer that is there already, to be scored as it is."
    return Offer(Kind.FILE, source, stack.name, summary, stack=stack)


def obstacle_of(offer: Offer, noisy: Stack) -> Obstacle | None:
    """Say why something cannot run on a stack, without looking at its counts.

    Returns
    -------
    Obstacle or None
        None if nothing stands in the way.
    """
    if offer.missing:
        return Obstacle("not installed", offer.missing)
    (method,) = methods_for([offer], Comparison())
    sentence = method.why_not(noisy)
    return Obstacle(_short(offer, noisy, sentence), sentence) if sentence else None


def ordered(offers: Iterable[Offer]) -> list[Offer]:
    """Put offers in the order in which they are compared."""
    return sorted(offers, key=lambda offer: _ORDER.index(offer.kind))


def comparison_of(offers: Sequence[Offer], settings: Comparison) -> Comparison:
    """Ask for what was chosen, results that are in memory aside."""
    sources = {kind: [o.source for o in offers if o.kind is kind] for kind in _ORDER}
    return settings.model_copy(
        update={
            "baselines": tuple(sources[Kind.BASELINE]),
            "models": tuple(sources[Kind.MODEL]),
            "estimates": (),
        }
    )


def methods_for(offers: Sequence[Offer], settings: Comparison) -> list[Method]:
    """List the methods that were chosen, under the names that a comparison gives them.

    Parameters
    ----------
    offers
        In the order of `ordered`; the methods come in the same.
    settings
        Of the comparison. The models can say whether they fit, and are not opened.
    """
    stacks = [offer.stack for offer in offers if offer.stack is not None]
    return methods_of(comparison_of(offers, settings), _unopened, estimates=stacks)


def _unopened(path: str, noisy: Stack, denoising: Denoising) -> OpenedModel:
    raise NotImplementedError("a model is opened where the comparison runs")


def _short(offer: Offer, noisy: Stack, sentence: str) -> str:
    """Say in a few words what a sentence says in full."""
    if "memory" in sentence:
        return "too large"
    if offer.kind is Kind.FILE:
        return "other shape"
    if offer.kind is Kind.MODEL and not model_path(offer.source).is_file():
        return "file is gone"
    if offer.kind is Kind.BASELINE:
        least = BASELINES[offer.source].least_frames
        if noisy.shape[0] < least:
            return f"needs {least} frames"
    return "cannot run"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _sentence(clause: str) -> str:
    return f"{clause[:1].upper()}{clause[1:]}."
