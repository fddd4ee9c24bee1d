"""The training sets of the papers, simulated anew at any size.

To add one: write its file, add its line here. The command line and the tests take it
from this mapping.
"""

from collections.abc import Mapping

from napari_lowdose.datasets.catalyst import CATALYST
from napari_lowdose.datasets.dataset import DataSet, Item, Writing
from napari_lowdose.datasets.n2a import N2A
from napari_lowdose.datasets.one_pair import ONE_PAIR
from napari_lowdose.datasets.planning import Estimate, Plan, estimate, plan
from napari_lowdose.datasets.pn_junction import PN_JUNCTION
from napari_lowdose.datasets.sbd import SBD
from napari_lowdose.datasets.writing import start, write

DATASETS: Mapping[str, DataSet] = {
    "pn-junction": PN_JUNCTION,
    "catalyst": CATALYST,
    "n2a": N2A,
    "sbd": SBD,
    "one-pair": ONE_PAIR,
}

__all__ = [
    "DATASETS",
    "DataSet",
    "Estimate",
    "Item",
    "Plan",
    "Writing",
    "estimate",
    "plan",
    "start",
    "write",
]
