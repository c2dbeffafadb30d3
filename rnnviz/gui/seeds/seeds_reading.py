"""Reading of a folder of seeds off the event loop, again and again, into what is drawn of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from rnnviz.core.seeds.curves import Band, Curve, band_of, running_mean, thinned
from rnnviz.gui.live.background import Background
from rnnviz.runs.seeds.folder import Setting
from rnnviz.runs.seeds.reading import Result, SeedFolder, SeedReader, SettingResult, result_of

_LOOK_AGAIN = 1000  # ms between two looks while something may change


@dataclass(frozen=True)
class ShownSetting:
    """A setting as it is drawn: the metric shown, as the mean of the training steps its criterion asks for."""

    result: SettingResult
    band: Band
    curves: Mapping[int, Curve]  # of each seed, thinned

    @property
    def setting(self) -> Setting:
        return self.result.setting

    @property
    def over(self) -> int:
        """Training steps the mean is of."""
        return self.result.criterion.over

    def of(self, seed: int) -> Result:
        return next(one for one in self.result.results if one.seed.run.seed == seed)


@dataclass(frozen=True)
class ShownSeeds:
    """A folder of seeds as it is drawn."""

    folder: SeedFolder
    metric: str
    settings: tuple[ShownSetting, ...]

    @property
    def ended(self) -> int:
        """Runs that are trained or have failed."""
        return sum(seed.ended for seed in self.folder.seeds)

    @property
    def going(self) -> bool:
        """Whether somebody trains it right now."""
        return self.folder.trained_now


class SeedsReading(QObject):
    """`came(ShownSeeds)` where something is other than before; `failed(sentence)` where the folder cannot be read;
    `stepped(done, of)` while its runs are read."""

    came = Signal(object)
    failed = Signal(str)
    stepped = Signal(int, int)

    def __init__(self, path: Path, parent: QObject) -> None:
        super().__init__(parent)
        self._reader = SeedReader(path)
        self._metric = ""
        self._last: ShownSeeds | None = None
        self._busy = self._again = self._stopped = False
        self._background = Background("seeds", self)
        self._background.answered.connect(self._take)
        self._background.failed.connect(self._fail)
        self._timer = QTimer(self, interval=_LOOK_AGAIN)
        self._timer.timeout.connect(self.look)

    def start(self) -> None:
        """Looks now, and again and again."""
        self._timer.start()
        self.look()

    def show_metric(self, metric: str) -> None:
        """Draws another metric."""
        if metric != self._metric:
            self._metric = metric
            self.look()

    def stop(self) -> bool:
        """False if the thread did not end in time."""
        self._stopped = True
        self._timer.stop()
        return self._background.stop()

    @Slot()
    def look(self) -> None:
        """Reads what was written since."""
        if self._stopped:
            return
        if self._busy:
            self._again = True
            return
        self._busy, self._again = True, False
        metric, last = self._metric, self._last
        self._background.ask(lambda: self._read(metric, last))

    def _read(self, metric: str, last: ShownSeeds | None) -> ShownSeeds | None:
        """In the thread; None where nothing is other than at the last look."""
        folder = self._reader.read([metric] if metric else [], lambda done, of: self.stepped.emit(done, of))
        metric = metric or folder.criterion(folder.settings[0]).metric
        if last is not None and last.metric == metric and _same(last.folder, folder):
            return None
        return ShownSeeds(folder, metric, tuple(_shown(folder, setting, metric) for setting in folder.settings))

    @Slot(int, object)
    def _take(self, _ticket: int, answer: object) -> None:
        if isinstance(answer, ShownSeeds) and not self._stopped:
            self._last = answer
            self.came.emit(answer)
        self._go_on()

    @Slot(int, object)
    def _fail(self, _ticket: int, error: object) -> None:
        self._last = None
        if not self._stopped:
            self.failed.emit(str(error))
        self._go_on()

    def _go_on(self) -> None:
        self._busy = False
        if self._again:
            self.look()


def _same(one: SeedFolder, other: SeedFolder) -> bool:
    same = all(a is b for a, b in zip(one.seeds, other.seeds, strict=False)) and len(one.seeds) == len(other.seeds)
    return same and (one.index, one.trained_now) == (other.index, other.trained_now)


def _shown(folder: SeedFolder, setting: Setting, metric: str) -> ShownSetting:
    result = result_of(folder, setting)
    over = result.criterion.over
    means = {seed.run.seed: running_mean(seed.curve(setting.model, metric), over) for seed in folder.of(setting)}
    return ShownSetting(result, band_of(list(means.values())), {seed: thinned(mean) for seed, mean in means.items()})
