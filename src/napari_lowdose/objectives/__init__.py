"""What a network learns from: how noisy patches become inputs and targets.

To add one: write its file, with what it needs of the data; add its line in `registry`.
The form, the command line, the checkpoint and the advice take it from there.
"""

from napari_lowdose.objectives.advice import advice_sentences, advise
from napari_lowdose.objectives.objective import Batch, Objective, Patches
from napari_lowdose.objectives.registry import OBJECTIVES
from napari_lowdose.objectives.verdict import Fit, Verdict

__all__ = [
    "OBJECTIVES",
    "Batch",
    "Fit",
    "Objective",
    "Patches",
    "Verdict",
    "advice_sentences",
    "advise",
]
