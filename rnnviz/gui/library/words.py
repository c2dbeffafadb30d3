"""Words of the library: when a run was last written, what it holds, how much several take."""

import time
from collections.abc import Sequence

from rnnviz.core.numbers import file_size, whole
from rnnviz.runs.library.summary import RunSummary
from rnnviz.runs.library.tidying import DAY


def when(moment: float, now: float | None = None) -> str:
    """The time of `moment` as it is said: "today 14:05", "yesterday 9:30", "12 Nov", "12 Nov 2025"."""
    now = time.time() if now is None else now
    then, today = time.localtime(moment), time.localtime(now)
    days = _day_number(now) - _day_number(moment)
    clock = f"{then.tm_hour}:{then.tm_min:02d}"
    if days in (0, 1):
        return f"{('today', 'yesterday')[days]} {clock}"
    day = f"{then.tm_mday} {_MONTHS[then.tm_mon - 1]}"
    return day if then.tm_year == today.tm_year and days > 0 else f"{day} {then.tm_year}"


def runs(summaries: Sequence[RunSummary]) -> str:
    """How many, and what they take: "3 runs, 1.2 MB"."""
    count = f"{whole(len(summaries))} run{'' if len(summaries) == 1 else 's'}"
    return f"{count}, {file_size(sum(one.bytes for one in summaries))}" if summaries else count


def standing(run: RunSummary, shown: bool = False) -> str:
    """What has to be said of its state; "" for one that is whole and at rest. `shown`: in the window that asks."""
    if run.problem:
        return run.problem
    if run.training_now:
        return "training now"
    if shown:
        return "in this window"
    return "open in another window" if run.live else ""


def models(run: RunSummary) -> str:
    """Names and hidden sizes: "Vanilla (64), LSTM (64)"."""
    return ", ".join(f"{model.name} ({model.hidden_size})" for model in run.models)


def about(run: RunSummary) -> str:
    """The tooltip of a run: where it is, what it was made with."""
    lines = [run.path]
    if run.title and run.title != run.words:
        lines.append(run.title)
    if run.models:
        lines.append(models(run))
    if run.created:
        lines.append(f"begun {run.created.replace('T', ' ').removesuffix('Z')} UTC")
    said = standing(run)
    return "\n".join([*lines, said] if said else lines)


def quoted(run: RunSummary) -> str:
    return f"“{run.words}”"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _day_number(moment: float) -> int:
    """Counts local days, so that yesterday ends at midnight."""
    local = time.localtime(moment)
    return int((time.mktime((local.tm_year, local.tm_mon, local.tm_mday, 12, 0, 0, 0, 0, -1))) // DAY)
