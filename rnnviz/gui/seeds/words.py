"""Words of several seeds: what a setting came to, how a seed stands, how far the folder is."""

from rnnviz.core.numbers import short, whole
from rnnviz.gui.seeds.seeds_reading import ShownSeeds, ShownSetting
from rnnviz.gui.training.metric_words import metric_words
from rnnviz.runs.seeds.reading import Result


def progress(shown: ShownSeeds) -> str:
    """ "4 of 10 runs trained, 43 %"."""
    done, total = shown.folder.progress
    of = len(shown.folder.seeds)
    if shown.ended == of:
        return f"{_runs(of)} trained"
    return f"{shown.ended} of {_runs(of)} trained, {100 * done // max(1, total)} %"


def rate(shown: ShownSetting) -> str:
    """ "7 of 10 solved"; what keeps some seeds from counting is said, too."""
    result = shown.result
    said = f"{result.rate.replace(' so far', '')} solved" if result.rate else "no seed has ended yet"
    if " so far" in result.rate:
        said += " so far"
    return f"{said}, {result.failed} failed" if result.failed else said


def spread(shown: ShownSetting) -> str:
    """The metric of the criterion at the end: "median accuracy 0.97, 10–90 %: 0.91 to 1.00"; one seed has no spread."""
    final, criterion = shown.result.final, shown.result.criterion
    if final is None:
        return ""
    name = metric_words(criterion.metric)
    if len(shown.result.ended) < 2:
        return f"{name} {short(final[1])}, one seed: no band"
    return f"median {name} {short(final[1])}, 10–90 %: {short(final[0])} to {short(final[2])}"


def standing(result: Result) -> str:
    """Whether a seed is solved and when, or how far it is."""
    seed, step = result.seed, whole(result.seed.training_step)
    solved = f"✓ {whole(result.solved_at)}" if result.solved_at is not None else ""
    match seed.state:
        case "finished":
            return solved or "not solved"
        case "failed":
            return f"failed at {step}" if seed.training_step else "failed"
        case "training":
            return f"{solved}, training" if solved else f"training, {step}"
        case "interrupted":
            return f"interrupted at {step}"
        case "foreign":
            return "another file"
        case _:
            return "waiting"


def about(shown: ShownSetting, result: Result) -> str:
    """The tooltip of a seed."""
    seed = result.seed
    lines = [f"{shown.setting.name}, seed {seed.run.seed}"]
    if result.final is not None:
        at_end = "at the end" if seed.ended else f"at training step {whole(seed.training_step)}"
        lines.append(f"{metric_words(shown.result.criterion.metric)} {short(result.final)} {at_end}")
    if result.solved_at is not None:
        lines.append(f"solved at training step {whole(result.solved_at)}: {shown.result.criterion.words}")
    elif seed.state == "finished":
        lines.append(f"not solved: {shown.result.criterion.words}")
    if seed.sentence:
        lines.append(seed.sentence)
    lines.append(seed.run.path.name)
    if seed.state not in ("waiting", "foreign"):
        lines.append("Click or Enter: opens this run in the window")
    return "\n".join(lines)


def _runs(count: int) -> str:
    return f"{whole(count)} run{'' if count == 1 else 's'}"
