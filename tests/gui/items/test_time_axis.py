"""The time axis: where time steps lie, and that zooming and panning stay inside the sequence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.gui.canvas.items.time_axis import TimeAxis


def test_a_cell_spans_half_a_time_step_to_each_side() -> None:
    axis = TimeAxis.whole(100.0, 640.0, 64)
    assert axis.pitch == 10.0
    assert (axis.x(0.5), axis.x(1), axis.x(64.5)) == (100.0, 105.0, 740.0)


@pytest.mark.parametrize(("pixel", "time_step"), [(0, 1), (100, 1), (109.9, 1), (110.1, 2), (739, 64), (5000, 64)])
def test_a_pixel_belongs_to_the_cell_that_holds_it(pixel: float, time_step: int) -> None:
    assert TimeAxis.whole(100.0, 640.0, 64).time_step_at(pixel) == time_step


@given(
    st.integers(1, 2000),
    st.lists(st.tuples(st.sampled_from(["zoom", "pan", "show"]), st.floats(-500, 900)), max_size=12),
)
def test_every_view_lies_inside_the_sequence(time_steps: int, moves: list[tuple[str, float]]) -> None:
    axis = TimeAxis.whole(120.0, 700.0, time_steps)
    for kind, amount in moves:
        if kind == "zoom":
            axis = axis.scaled(1.25 ** (amount / 100), 300.0)
        elif kind == "pan":
            axis = axis.panned(amount)
        else:
            wanted = min(max(int(abs(amount)), 1), time_steps)
            axis = axis.showing(wanted)
            assert axis.first <= wanted - 0.5 + 1e-6
            assert axis.last >= wanted + 0.5 - 1e-6
        assert 0.5 - 1e-6 <= axis.first < axis.last <= time_steps + 0.5 + 1e-6
        assert 1 <= axis.visible()[0] <= axis.visible()[-1] <= time_steps


def test_zooming_keeps_the_time_under_the_pointer() -> None:
    axis = TimeAxis.whole(100.0, 640.0, 64)
    before = axis.first + (300.0 - axis.left) / axis.pitch
    closer = axis.scaled(2.0, 300.0)
    assert closer.first + (300.0 - closer.left) / closer.pitch == pytest.approx(before)
    assert closer.zoomed
    assert not axis.zoomed


def test_a_sequence_of_another_length_is_shown_whole() -> None:
    axis = TimeAxis.whole(100.0, 640.0, 64).scaled(4.0, 200.0)
    assert axis.moved_to(100.0, 640.0, 64).zoomed
    assert axis.moved_to(100.0, 640.0, 30) == TimeAxis.whole(100.0, 640.0, 30)
