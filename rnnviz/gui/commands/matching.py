"""Matching: which commands a person means who types some letters, the likeliest first; no Qt."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_NEAR = 0.7  # how alike a word and a mistyped one are at least, of 1
_BOTH = 5.0  # for a word that is in the name and a shortcut besides: "b" is Bookmark here before Breakpoint here
_LEAST_TYPED = 4  # letters: shorter ones are like too much


@dataclass(frozen=True)
class Described:
    """What a command can be found by: its name, where it stands in the menus, what it does, its shortcuts."""

    key: str
    name: str
    place: str = ""
    about: str = ""
    shortcuts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Match:
    """A command that was found, how well, and the places of the letters of its name that say so."""

    key: str
    score: float
    letters: frozenset[int] = frozenset()


def matches(typed: str, commands: Iterable[Described]) -> list[Match]:
    """Every command that has to do with each of the words typed, the best first, equals in their order.

    A word counts most as letters of the name in their order ("stfo" finds Step forward), then as a shortcut, then in
    the menu's name or in what it does; where nothing has to do with it, a word of a name that is nearly the same.
    """
    commands, words = list(commands), typed.casefold().split()
    found = [match for one in commands if (match := _match(words, one)) is not None]
    if not found:
        found = [match for one in commands if (match := _nearly(words, one)) is not None]
    return sorted(found, key=lambda match: -match.score)


def _match(words: Sequence[str], command: Described) -> Match | None:
    score, letters = 0.0, frozenset[int]()
    name = command.name.casefold()
    if len(words) > 1 and (at := name.find(" ".join(words))) >= 0:
        return Match(command.key, 300.0 - at, frozenset(range(at, at + len(" ".join(words)))))
    for word in words:
        best, places = _in_name(word, name)
        elsewhere = max(_in_shortcuts(word, command.shortcuts), _in_text(word, command.place, 30.0),
                        _in_text(word, command.about, 25.0))  # fmt: skip
        if not best and not elsewhere:
            return None
        score += max(best, elsewhere) + (_BOTH if best and elsewhere > best / 2 else 0.0)
        letters |= places
    return Match(command.key, score, letters)


def _in_name(word: str, name: str) -> tuple[float, frozenset[int]]:
    """How well the word's letters are found in the name, 0 to 100, and where."""
    starts = [at for at in range(len(name)) if name[at].isalnum() and not (at and name[at - 1].isalnum())]
    for at in (at for at in starts if name.startswith(word, at)):
        return 100.0 - starts.index(at), frozenset(range(at, at + len(word)))
    if len(word) > 1 and (at := name.find(word)) >= 0:
        return 60.0 - 0.1 * at, frozenset(range(at, at + len(word)))
    for jump in (True, False):  # to the starts of words where it can, else as near as it can
        places = _letters(word, name, starts if jump else [])
        if places and places[0] in starts and len(word) > 1:
            dense = len(places) / (places[-1] - places[0] + 1)
            at_starts = sum(place in starts for place in places) / len(places)
            if dense >= 0.5 or at_starts >= 0.5:
                return 30.0 + 10.0 * dense + 10.0 * at_starts, frozenset(places)
    return 0.0, frozenset()


def _letters(word: str, name: str, starts: Sequence[int]) -> list[int]:
    """The places of the word's letters in the name, in their order; [] where one is missing."""
    places: list[int] = []
    after = 0
    for letter in word:
        following = next((at for at in starts if at >= after and name[at] == letter), -1)
        at = after if name[after : after + 1] == letter else following if following >= 0 else name.find(letter, after)
        if at < 0:
            return []
        places.append(at)
        after = at + 1
    return places


def _in_shortcuts(word: str, shortcuts: Sequence[str]) -> float:
    """A shortcut itself counts most, then its beginning: "ctrl+sh"; a single letter is a shortcut only if it is all."""
    keys = [shortcut.casefold().replace(" ", "") for shortcut in shortcuts]
    if word in keys:
        return 90.0
    return 40.0 if len(word) > 1 and any(key.startswith(word) or f"+{word}" in key for key in keys) else 0.0


def _in_text(word: str, text: str, most: float) -> float:
    """`most` at the beginning of a word, half of it inside of one."""
    text = f" {text.casefold()}"
    if len(word) < 2 or word not in text:
        return 0.0
    return most if any(f"{before}{word}" in text for before in " ([\"'-") else most / 2 if len(word) > 2 else 0.0


def _nearly(words: Sequence[str], command: Described) -> Match | None:
    names, score = command.name.casefold().split(), 0.0
    for word in words:
        alike = max((SequenceMatcher(None, word, name).ratio() for name in names), default=0.0)
        if alike < _NEAR or len(word) < _LEAST_TYPED:
            return None
        score += alike
    return Match(command.key, score) if words else None
