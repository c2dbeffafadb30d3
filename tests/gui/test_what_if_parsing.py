"""What is typed into the fields of a what-if."""

import pytest

from rnnviz.core.errors import RnnvizError
from rnnviz.gui.whatif.what_if_parsing import numbers


def test_one_number_for_all_or_one_for_each() -> None:
    assert numbers("Value", 3)("−0.5") == (-0.5,)
    assert numbers("Value", 3)("1, 2.5, -3") == (1.0, 2.5, -3.0)


@pytest.mark.parametrize("text", ["", "1, 2", "1, inf, 2", "nan", "1, two, 3", "1, 2, 3, 4"])
def test_what_is_not_that_is_refused(text: str) -> None:
    with pytest.raises(RnnvizError, match="one number for all, or 3 with commas between"):
        numbers("Value", 3)(text)
