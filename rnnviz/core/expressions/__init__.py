"""The small language of conditions, watches and log messages; numpy only, never `eval`.

    norm(dh[1]) / norm(dh[T]) < 1e-6      any(f > 0.99)      grad_norm > 10 * median(grad_norm, 50)
    loss < 0.05 and model == lstm         isnan(loss)        k % 100 == 0

Numbers are float64. A quantity is an array, time step by unit: h, c, x, the gates i f g o r z n, the pre-activations a,
a_f, …, their gradients dh, dh_direct, dh_carried, dc, dx, da, da_f, …, weight-gradient shares share_ih, share_hh, and
losses, prediction, probability. They are those of the layer looked at; h_l1, f_l0_reverse name another.
Subscripts count from 1, time step then unit, ranges include both ends: h[t], dh[T], h[-1], f[t, 7], f[:, 7], h[1:10].
A metric (loss, accuracy, grad_norm, …) is one number for each training step; k is the training step, t the cursor's
time step, T, H and N the numbers of time steps, hidden units and sequences. A model is asked for by a bare word,
its name in small letters with _ for what is not a letter or digit (model == lstm_2), or its number (model == 2); so is
its cell (cell == gru). and, or, not join comparisons; what is computed from a comparison counts yes as 1.

language      text → Expression            vocabulary   the names, and what is known of the models
functions     the named functions          values       bounded float64 operations
scope         what is asked, one moment    trace_scope, metric_history   the scopes there are
completion    what may be typed next       log_message  "{expression}" filled in
phrases       what people call the names   suggesting   the right expression a wrong one comes near to
"""

from rnnviz.core.expressions.language import Expression, parse
from rnnviz.core.expressions.problems import ExpressionError, NoValueError
from rnnviz.core.expressions.scope import Scope
from rnnviz.core.expressions.values import Value, shown
from rnnviz.core.expressions.vocabulary import Vocabulary

__all__ = ["Expression", "ExpressionError", "NoValueError", "Scope", "Value", "Vocabulary", "parse", "shown"]
