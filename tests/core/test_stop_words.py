"""What a stop says: where, of which model, and the numbers that made it, as a person reads them."""

import pytest

from rnnviz.core.numbers import bound
from rnnviz.core.stopping.breakpoints import Hit
from rnnviz.core.stopping.marks import Breakpoint

UP = Breakpoint("data", "norm(dh[1])", crosses=1e-3, direction="up")


@pytest.mark.parametrize(
    ("hit", "sentence"),
    [
        (Hit(UP, 1006, "LSTM", 0, (("norm(dh[1]) before", "0.00082"), ("norm(dh[1])", "0.0011"))),
         "Training step 1,006: in LSTM, norm(dh[1]) rose above 10⁻³ (8.2·10⁻⁴ → 1.1·10⁻³)."),
        (Hit(Breakpoint("data", "loss", crosses=-0.125), 7, "GRU", 0, (("loss before", "2.5"), ("loss", "−3"))),
         "Training step 7: in GRU, loss fell below −0.125 (2.5 → −3)."),
        (Hit(Breakpoint("data", "k", crosses=1000.0), 1000, "GRU", 0, (("k before", "999"), ("k", "1000"))),
         "Training step 1,000: in GRU, k reached 1,000 (999 → 1,000)."),
        (Hit(Breakpoint("data", "loss", factor=4.0), 7, "GRU", 12, (("loss before", "0.25"), ("loss", "2000"))),
         "Training step 7, time step 12: in GRU, loss grew 8,000 times (0.25 → 2,000)."),
        (Hit(Breakpoint("data", "loss", factor=4.0), 7, "GRU", 0, (("loss before", "0"), ("loss", "3e-07"))),
         "Training step 7: in GRU, loss changed (0 → 3.0·10⁻⁷)."),
        (Hit(Breakpoint("condition", "k > 999"), 12_000, "A", 3, (("k", "12000"),)),
         "Training step 12,000, time step 3: in A, k > 999 (k is 12,000)."),
        (Hit(Breakpoint("condition", "model == 2"), 4, "A"), "Training step 4: in A, model == 2."),
        (Hit(Breakpoint("not finite"), 4, "A", 0, (("loss", "NaN"), ("grad_norm", "0.5"))),
         "Training step 4: in A, the loss became NaN or infinite (loss is NaN, grad_norm is 0.5)."),
        (Hit(Breakpoint("not finite", "dh"), 4, "A", 0, (("dh", "9 values, none finite"),)),
         "Training step 4: in A, dh is 9 values, none finite."),
        (Hit(Breakpoint("place", "loss < 1", phase="backward", time_step=-1), 4, "A", 12, (("loss", "0.5"),)),
         "Training step 4, time step 12: in A, backward time step −1 where loss < 1 (loss is 0.5)."),
    ],
)  # fmt: skip
def test_a_hit_in_words(hit, sentence):
    assert hit.sentence == sentence
    assert hit.stop_reason == f"Stopped at t{sentence[1:]}"


def test_the_line_of_a_logpoint_is_its_message():
    hit = Hit(Breakpoint("condition", "k > 1", message="k is {k}"), 4, "A", message="k is 4")
    assert hit.sentence == hit.stop_reason == "k is 4"


@pytest.mark.parametrize(
    ("value", "words"),
    [(1e-3, "10⁻³"), (2.5e-7, "2.5·10⁻⁷"), (-1e-6, "−10⁻⁶"), (0.05, "0.05"), (-0.125, "−0.125"), (1000.0, "1,000"),
     (1.5e9, "1.5·10⁹"), (0.0, "0"), (float("inf"), "+∞"), (1e-310, "1.000000·10⁻³¹⁰")],
)  # fmt: skip
def test_a_bound_keeps_the_digits_somebody_set(value, words):
    assert bound(value) == words


def test_a_breakpoint_says_its_bound_the_same_way():
    assert UP.words == "norm(dh[1]) rises above 10⁻³"
