"""The matrix: every cell with every head that applies trains, traces, steps, saves and reopens."""

from pathlib import Path

import every_network
import pytest

from rnnviz.core.cells import CELLS


@pytest.mark.parametrize("cell", CELLS)
def test_every_network_works_with_every_head(cell: str, tmp_path: Path) -> None:
    tried = []
    for number, experiment in enumerate(every_network.experiments(cell)):
        folder = tmp_path / str(number)
        folder.mkdir()
        tried += every_network.try_networks(experiment, folder)
    assert len({(one.head, one.loss) for one in tried}) == len(tried) == 15
    assert {one.verdict for one in tried} == {"right"}
    assert max(one.difference for one in tried) < 1e-3
