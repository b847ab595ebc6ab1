"""The drawings of a report, as SVG that a browser and a typesetter show alike.

Only shapes, text and presentation attributes: the page's policy allows no style of a drawing's own, and the
PDF has no style sheet. Signs are paths, so that no font has to have them, and nothing is told by colour
alone. Where both languages are written, a page shows one by its classes `vi`, `en` and `alone`; figures that
differ in their comma only stand in Vietnamese, their English being there for who reads it alone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from math import inf, isfinite, log
from typing import Final, TypeVar

from cloudaudit import wording
from cloudaudit.model import Text
from cloudaudit.reporters import view
from cloudaudit.reporters.document import Languages, Picture
from cloudaudit.reporters.places import DOMESTIC, Flow, Name, Places, Province, Site
from cloudaudit.reporters.words import MAX_NAME, MAX_TEXT, clean, figure, interval, labels, moment, same

WIDTH: Final = 720
"""Of the drawings with rows, in units of which a line of text is 13 high."""
MOST_ROWS: Final = 24
"""Systems, assessments, or boxes of a column; a table beside the drawing has them all."""
FONTS: Final = "Noto Sans, Segoe UI, Roboto, Helvetica Neue, Arial, Liberation Sans, DejaVu Sans, sans-serif"
INK: Final = "#1b2430"
MUTED: Final = "#566070"
RULE: Final = "#7d8896"
TRACK: Final = "#e4e8ed"
SOFT: Final = "#f3f5f8"
ACCENT: Final = "#1f456e"
FAIL: Final = "#8d1a1f"
UNKNOWN: Final = "#57407c"
MET: Final = "#1d5c43"
PARTLY: Final = "#1d5470"

T = TypeVar("T")


# --- a drawing in the making --------------------------------------------------------------------------


@dataclass(slots=True)
class _Ink:
    """Shapes and words of one drawing, in one language or both."""

    id: str
    lang: Languages
    parts: list[str] = field(default_factory=list)

    def shape(self, tag: str, **attributes: object) -> None:
        """An element without content; `stroke_width` becomes `stroke-width`."""
        self.parts.append(f"<{tag}{_attributes(attributes)}/>")

    def text(self, x: float, y: float, text: Text, **attributes: object) -> None:
        """One line. Of both languages Vietnamese, with English in its place where that is read alone."""
        at = {"x": x, "y": y, **attributes}
        self._each(at, at, text, alone=True)

    def pair(
        self, x: float, y: float, text: Text, room: float, size: float = 13, **attributes: object
    ) -> None:
        """Up to two lines in a height of 36 from `y`, cut to their room and never over its edges."""
        small = size - 1.5
        two = self.lang == "both" and text.vi != text.en
        self.parts.append(f'<svg x="{_n(x)}" y="{_n(y)}" width="{_n(room)}" height="36">')
        self._each(
            {"y": 15 if two else 22, "font_size": size, **attributes},
            {"y": 31 if two else 22, "font_size": small if two else size}
            | ({"fill": MUTED} if two else attributes),
            Text(_fit(text.vi, room, size), _fit(text.en, room, small if two else size)),
        )
        self.parts.append("</svg>")

    def run(self, x: float, y: float, text: Text, before: str = "", **attributes: object) -> None:
        """Short words of both languages one after the other."""
        head = f"<text{_attributes({'x': x, 'y': y, **attributes})}>{_escaped(before)}"
        if self.lang != "both" or text.vi == text.en:
            self.parts.append(f"{head}{_escaped(getattr(text, _one(self.lang)))}</text>")
        else:
            self.parts.append(
                f'{head}<tspan class="vi">{_escaped(text.vi)}</tspan>'
                f'<tspan class="en" lang="en" font-weight="400"> {_escaped(text.en)}</tspan></text>'
            )

    def _each(self, vi: dict[str, object], en: dict[str, object], text: Text, *, alone: bool = False) -> None:
        if self.lang != "both" or text.vi == text.en:
            attributes = en if self.lang == "en" else vi
            self.parts.append(
                f"<text{_attributes(attributes)}>{_escaped(getattr(text, _one(self.lang)))}</text>"
            )
            return
        only = ' class="en alone" display="none"' if alone else ' class="en"'
        self.parts.append(f'<text class="vi"{_attributes(vi)}>{_escaped(text.vi)}</text>')
        self.parts.append(f'<text{only} lang="en"{_attributes(en)}>{_escaped(text.en)}</text>')

    def sign(self, key: str, x: float, y: float, color: str) -> None:
        """The sign of an outcome or state round a middle, 14 wide."""
        paths = {
            "✓": "m-6 0 4 5 8-10", "×": "m-5-5 10 10m0-10-10 10", "–": "m-6 0h12",
            "≈": "m-7-2q3.500-4 7 0t7 0m-14 5q3.500-4 7 0t7 0",
            "?": "m-4-3c0-6 9-6 8 0 0 3-4 3-4 6.500m0 3v.100",
        }  # fmt: skip
        path = paths.get(view.SYMBOL.get(key, "?"), paths["?"])
        self.shape(
            "path", d=f"M{_n(x)} {_n(y)}{path}", fill="none", stroke=color, stroke_width=2.4,
            stroke_linecap="round", stroke_linejoin="round",
        )  # fmt: skip

    def hatch(self, color: str = ACCENT) -> str:
        """The paint of what is not known."""
        name = f"{self.id}-hatch-{color[1:]}"
        pattern = (
            f'<pattern id="{name}" width="5" height="5" patternUnits="userSpaceOnUse" '
            f'patternTransform="rotate(45)"><rect width="5" height="5" fill="#fff"/>'
            f'<rect width="2" height="5" fill="{color}"/></pattern>'
        )
        if pattern not in self.parts:
            self.parts.insert(0, pattern)
        return f"url(#{name})"

    def legend(
        self, y: float, width: float, entries: Sequence[tuple[Callable[[float, float], None], Text]]
    ) -> None:
        """What the strokes mean, two beside each other; each draws itself in 36 by 36 from where it is."""
        for n, (draw, text) in enumerate(entries):
            x, top = n % 2 * width / 2, y + n // 2 * 36
            draw(x, top)
            self.pair(x + 46, top, text, width / 2 - 52, 12, fill=MUTED)


def _picture(
    id_: str, title: Text, alternative: Text, width: int, height: int, draw: Callable[[_Ink], None]
) -> Picture:
    def svg(lang: Languages) -> str:
        ink = _Ink(id_, lang)
        draw(ink)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img" font-family="{escape(FONTS)}" font-size="13" fill="{INK}">'
            f"{_said('title', title, lang)}{_said('desc', alternative, lang)}{''.join(ink.parts)}</svg>"
        )

    return Picture(id_, title, alternative, svg, width, height)


def _said(tag: str, text: Text, lang: Languages) -> str:
    """A title or description. A page that shows one language puts that one there, by its script."""
    if lang != "both" or text.vi == text.en:
        return f"<{tag}>{_escaped(getattr(text, _one(lang)), MAX_TEXT)}</{tag}>"
    sides = _attributes({"data-vi": text.vi, "data-en": text.en})
    return f"<{tag}{sides}>{_escaped(f'{text.vi} / {text.en}', 2 * MAX_TEXT)}</{tag}>"


def _one(lang: Languages) -> str:
    return "en" if lang == "en" else "vi"


def _attributes(given: dict[str, object]) -> str:
    return "".join(f' {name.replace("_", "-")}="{escape(_value(value))}"' for name, value in given.items())


def _value(value: object) -> str:
    return _n(value) if isinstance(value, float | int) else clean(str(value))


def _escaped(text: str, limit: int = MAX_NAME) -> str:
    # Quotes in a text stand as they are: it is no attribute.
    return escape(clean(text, limit), quote=False)


def _n(value: float) -> str:
    """A coordinate, short and the same on every machine."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


_NARROW: Final = frozenset("iíìỉĩịjlIftr.,:;'|!()[]·- ")
_BROAD: Final = frozenset("mwMWOÔƠGQĐ@%…–—")


def _fit(text: str, room: float, size: float) -> str:
    """As much of a text as its room holds, by widths of a rather broad typeface."""
    left = room / size
    text = clean(text, MAX_NAME)
    kept = 0
    for n, letter in enumerate(text):
        left -= _breadth(letter)
        if left < 0:
            return _whole_words(text, kept) + "…"
        if left >= _breadth("…"):
            kept = n + 1
    return text


def _whole_words(text: str, kept: int) -> str:
    """The head of a text, without the word it was cut in, unless that is most of it."""
    head = text[:kept]
    if text[kept : kept + 1].isalnum() and len(whole := head.rpartition(" ")[0]) > kept // 2:
        head = whole
    return head.rstrip(" ,;:(")


def _breadth(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0.0
    if letter in _NARROW:
        return 0.33
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.1
    return 0.9 if letter in _BROAD else 0.7 if letter.isupper() else 0.575


def _percent(value: float) -> float:
    """A figure between 0 and 100, wherever it comes from."""
    return min(max(value, 0.0), 100.0) if isfinite(value) else 0.0


def _listed(entries: Iterable[tuple[str, Text]]) -> Text:
    """`RES: [80,5 ; 87,6]; BDR: …` in both languages."""
    found = [(clean(name, MAX_NAME), text) for name, text in entries]
    return Text(
        "; ".join(f"{name}: {text.vi}" for name, text in found) or "–",
        "; ".join(f"{name}: {text.en}" for name, text in found) or "–",
    )


# --- scores and coverage by dimension -----------------------------------------------------------------

_LEFT, _SCALE, _ROW = 312, 2.9, 40


def intervals(rows: Sequence[tuple[str, Text, float, float]]) -> Picture:
    """The score interval of each dimension: id, name, lower and upper bound out of 100."""
    words = labels()
    bottom = 30 + _ROW * len(rows)

    def draw(ink: _Ink) -> None:
        _scale(ink, bottom)
        for n, (id_, name, lower, upper) in enumerate(rows):
            y = 30 + _ROW * n
            low, high = _percent(lower), _percent(upper)
            _named_row(ink, y, id_, name, interval(lower, upper))
            _bar(ink, y, 0, 100, TRACK, RULE)
            _bar(ink, y, 0, low, ACCENT, ACCENT)
            _bar(ink, y, low, max(high, low), ink.hatch(), ACCENT)
        paints = ((ACCENT, "report.bar_lower"), (ink.hatch(), "report.bar_open"), (TRACK, "report.bar_rest"))
        ink.legend(
            bottom + 8, WIDTH, [(_swatch(ink, paint), words(key)) for paint, key in paints]
        )  # fmt: skip

    said = _listed((id_, interval(lower, upper)) for id_, _, lower, upper in rows)
    return _picture("chart-intervals", words("chart.intervals"), said, WIDTH, bottom + 84, draw)


def coverage(rows: Sequence[tuple[str, Text, float]]) -> Picture:
    """How much of each dimension could be concluded: id, name, per cent."""
    words = labels()
    bottom = 30 + _ROW * len(rows)

    def draw(ink: _Ink) -> None:
        _scale(ink, bottom)
        for n, (id_, name, share) in enumerate(rows):
            y = 30 + _ROW * n
            _named_row(ink, y, id_, name, figure(share, "%"))
            _bar(ink, y, 0, 100, ink.hatch(UNKNOWN), RULE)
            _bar(ink, y, 0, _percent(share), ACCENT, ACCENT)
        paints = ((ACCENT, "chart.concluded"), (ink.hatch(UNKNOWN), "report.bar_open"))
        ink.legend(bottom + 8, WIDTH, [(_swatch(ink, paint), words(key)) for paint, key in paints])

    said = _listed((id_, figure(share, "%")) for id_, _, share in rows)
    return _picture("chart-coverage", words("chart.coverage"), said, WIDTH, bottom + 48, draw)


def _scale(ink: _Ink, bottom: float) -> None:
    for mark in (0, 25, 50, 75, 100):
        x = _LEFT + _SCALE * mark
        ink.shape("path", d=f"M{_n(x)} 22V{_n(bottom)}", stroke=TRACK)
        ink.text(x, 15, same(str(mark)), font_size=11, text_anchor="middle", fill=MUTED)


def _named_row(ink: _Ink, y: float, id_: str, name: Text, value: Text) -> None:
    ink.text(0, y + 22, same(_fit(id_, 48, 13)), font_weight=700)
    ink.pair(50, y, name, _LEFT - 60)
    ink.text(WIDTH, y + 22, value, text_anchor="end", font_weight=600)


def _bar(ink: _Ink, y: float, start: float, end: float, paint: str, edge: str) -> None:
    if end > start:
        x, width = _LEFT + _SCALE * start, _SCALE * (end - start)
        ink.shape("rect", x=x, y=y + 9, width=width, height=18, fill=paint, stroke=edge)


def _swatch(ink: _Ink, paint: str) -> Callable[[float, float], None]:
    def draw(x: float, y: float) -> None:
        ink.shape("rect", x=x + 1, y=y + 11, width=34, height=14, fill=paint, stroke=RULE)

    return draw


# --- gates ----------------------------------------------------------------------------------------------

_STATES: Final[dict[str, tuple[str, str, str]]] = {
    "open": (MET, "#fff", "none"),
    "conditional": (PARTLY, "#fff", "2 3"),
    "indeterminate": (UNKNOWN, "#fff", "6 4"),
    "blocked": (FAIL, FAIL, "none"),
    "out_of_scope": (RULE, "#fff", "1 4"),
}
"""The edge, fill and dashes of a gate's box."""


def gates(rows: Sequence[tuple[str, Text, str]]) -> Picture:
    """Gates with their state: id, title, state. A box for each, two beside each other."""
    words = labels()
    half = (len(rows) + 1) // 2

    def draw(ink: _Ink) -> None:
        for n, (id_, title, state) in enumerate(rows):
            x, y = n // half * (WIDTH / 2 + 8), n % half * 70
            color, fill, dashes = _STATES.get(state, _STATES["indeterminate"])
            ink.shape(
                "rect", x=x + 2, y=y + 6, width=48, height=48, rx=4, fill=fill, stroke=color,
                stroke_width=2.5, stroke_dasharray=dashes,
            )  # fmt: skip
            ink.sign(state, x + 26, y + 30, "#fff" if fill == color else color if color != RULE else MUTED)
            said = words.of("gate_state", state)
            ink.run(x + 62, y + 18, said, before=f"{_fit(id_, 60, 13)} · ", font_weight=700)
            ink.pair(x + 62, y + 22, title, WIDTH / 2 - 76, 12.5)

    said = _listed((id_, words.of("gate_state", state)) for id_, _, state in rows)
    return _picture("chart-gates", words("chart.gates"), said, WIDTH, max(half * 70, 20), draw)


# --- recovery points --------------------------------------------------------------------------------------

_TIMES: Final = (
    1, 10, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 86400, 3 * 86400, 7 * 86400, 30 * 86400, 365 * 86400,
    3650 * 86400,
)  # fmt: skip


def recovery(rows: Sequence[tuple[str, float | None, float]]) -> Picture:
    """The data a system would lose at worst beside what it may: its name, seconds or None if not known,
    seconds required. Times are on a logarithmic scale, since they go from minutes to months; a system with
    anything that has no usable backup would lose all of that, and its seconds are infinite.
    """
    words = labels()
    shown = _worst(rows)
    times = [time for _, *both in shown for time in both if time and 0 < time < inf]
    lost = any(achieved == inf for _, achieved, _ in shown)
    first, last = _ends(times)
    ticks = [time for time in _TIMES if first <= time <= last]
    bottom = 44 + _ROW * len(shown)
    below = bottom + (120 if lost else 84)
    left, right = 220.0, 520.0

    def at(seconds: float) -> float:
        place = log(max(seconds, first) / first) / log(last / first) if seconds > 0 else 0.0
        return left + (right - left) * min(place, 1.0)

    def cross(ink: _Ink, x: float, y: float) -> None:
        path = f"M{_n(x - 7)} {_n(y - 7)}l14 14m0-14l-14 14"
        ink.shape("path", d=path, fill="none", stroke=FAIL, stroke_width=3.5)

    def lane(ink: _Ink, y: float, achieved: float | None, required: float) -> None:
        limit = at(required)
        if achieved is None:
            ink.shape(
                "path", d=f"M{_n(left)} {_n(y)}H{_n(right)}", stroke=UNKNOWN, stroke_width=2,
                stroke_dasharray="3 5",
            )  # fmt: skip
        else:
            met = achieved <= required
            color, end = (MET if met else FAIL), at(achieved)
            ink.shape("path", d=f"M{_n(limit)} {_n(y)}H{_n(end)}", stroke=color, stroke_width=2 if met else 5)
            if achieved == inf:
                cross(ink, end, y)
            else:
                ink.shape(
                    "circle", cx=end, cy=y, r=5.5, fill="#fff" if met else color, stroke=color,
                    stroke_width=2.5,
                )  # fmt: skip
        ink.shape("path", d=f"M{_n(limit)} {_n(y - 13)}V{_n(y + 13)}", stroke=INK, stroke_width=3)

    def mark(ink: _Ink, achieved: float | None, required: float) -> Callable[[float, float], None]:
        def draw(x: float, y: float) -> None:
            if achieved is None:
                path = f"M{_n(x)} {_n(y + 18)}h36"
                ink.shape("path", d=path, stroke=UNKNOWN, stroke_width=2, stroke_dasharray="3 5")
            elif achieved == required:
                ink.shape("path", d=f"M{_n(x + 18)} {_n(y + 6)}v24", stroke=INK, stroke_width=3)
            else:
                color = MET if achieved < required else FAIL
                ink.shape(
                    "circle", cx=x + 18, cy=y + 18, r=5.5, stroke=color, stroke_width=2.5,
                    fill="#fff" if achieved < required else color,
                )  # fmt: skip

        return draw

    def draw(ink: _Ink) -> None:
        for time in ticks:
            ink.shape("path", d=f"M{_n(at(time))} 36V{_n(bottom)}", stroke=TRACK)
        for n, time in enumerate(ticks):
            if len(ticks) <= 6 or n % 2 == 0:
                ink.text(at(time), 28, _duration(time), font_size=11, text_anchor="middle", fill=MUTED)
        ink.text(WIDTH, 13, words("chart.achieved_required"), font_size=11, text_anchor="end", fill=MUTED)
        for n, (name, achieved, required) in enumerate(shown):
            y = 44 + _ROW * n
            state = "unknown" if achieved is None else "pass" if achieved <= required else "fail"
            ink.sign(state, 9, y + 18, {"unknown": UNKNOWN, "pass": MET, "fail": FAIL}[state])
            ink.pair(24, y, same(name), left - 40)
            lane(ink, y + 18, achieved, required)
            ink.text(WIDTH, y + 22, _against(achieved, required), font_size=12, text_anchor="end")
        ink.legend(
            bottom + 8,
            WIDTH,
            [
                (mark(ink, 1, 1), words("chart.rpo_required")),
                (mark(ink, 1, 2), words("chart.rpo_met")),
                (mark(ink, 2, 1), words("chart.rpo_missed")),
                (mark(ink, None, 1), words("chart.rpo_unknown")),
                *([(lambda x, y: cross(ink, x + 18, y + 18), words("chart.rpo_none"))] if lost else []),
            ],
        )
        if len(rows) > len(shown):
            more = words("report.more", count=len(rows) - len(shown))
            ink.pair(0, below, more, WIDTH, 12, fill=MUTED)

    said = _listed((name, _against(achieved, required)) for name, achieved, required in shown)
    height = below + (40 if len(rows) > len(shown) else 0)
    return _picture("chart-recovery", words("chart.recovery"), said, WIDTH, height, draw)


def _worst(rows: Sequence[tuple[str, float | None, float]]) -> list[tuple[str, float | None, float]]:
    """The rows a drawing has room for: those that miss most or are not known, in their own order."""

    def missed(row: tuple[str, float | None, float]) -> float:
        _, achieved, required = row
        return float("inf") if achieved is None else achieved / max(required, 1)

    chosen = sorted(range(len(rows)), key=lambda n: (-missed(rows[n]), n))[:MOST_ROWS]
    return [rows[n] for n in sorted(chosen)]


def _ends(times: Sequence[float]) -> tuple[int, int]:
    """Where the scale begins and ends."""
    low, high = min(times, default=60), max(times, default=86400)
    first = max((time for time in _TIMES if time <= low), default=_TIMES[0])
    last = min((time for time in _TIMES if time >= high and time > first), default=_TIMES[-1])
    return (first, last) if first < last else (_TIMES[-2], _TIMES[-1])


def _duration(seconds: float) -> Text:
    return Text(wording.duration(seconds, "vi"), wording.duration(seconds, "en"))


def _against(achieved: float | None, required: float) -> Text:
    found = same("?") if achieved is None else _duration(achieved)
    if achieved == inf:
        found = labels()("word.none")
    wanted = _duration(required)
    return Text(f"{found.vi} / {wanted.vi}", f"{found.en} / {wanted.en}")


# --- trend ------------------------------------------------------------------------------------------------


def trend(points: Sequence[tuple[str, float, float, float, int, int]]) -> Picture:
    """Assessments one after the other, the oldest first: when, lower and upper bound of the score, coverage,
    open gates, gates counted. The distance between them says nothing of the time between them.
    """
    words = labels()
    shown = points[-MOST_ROWS:]
    left, right, top, bottom = 40.0, WIDTH - 96.0, 14.0, 194.0
    step = (right - left) / max(len(shown), 1)
    every = (len(shown) + 7) // 8

    def x(n: int) -> float:
        return left + (n + 0.5) * step

    def y(value: float) -> float:
        return bottom - (bottom - top) * _percent(value) / 100

    def line(ink: _Ink, values: Sequence[float], color: str, **more: object) -> None:
        if len(values) > 1:
            path = "L".join(f"{_n(x(n))} {_n(y(value))}" for n, value in enumerate(values))
            ink.shape("path", d=f"M{path}", fill="none", stroke=color, **more)

    def diamond(ink: _Ink, at_x: float, at_y: float) -> None:
        path = f"M{_n(at_x)} {_n(at_y - 6)}l6 6-6 6-6-6z"
        ink.shape("path", d=path, fill="#fff", stroke=UNKNOWN, stroke_width=2)

    def draw(ink: _Ink) -> None:
        for mark in (0, 25, 50, 75, 100):
            ink.shape("path", d=f"M{_n(left)} {_n(y(mark))}H{_n(right)}", stroke=TRACK)
            ink.text(left - 8, y(mark) + 4, same(str(mark)), font_size=11, text_anchor="end", fill=MUTED)
        line(ink, [point[1] for point in shown], ACCENT, stroke_width=2)
        line(ink, [point[2] for point in shown], ACCENT, stroke_width=1.5, stroke_dasharray="5 4")
        line(ink, [point[3] for point in shown], UNKNOWN, stroke_width=1.5, stroke_dasharray="1 4")
        wide = min(26.0, step * 0.6)
        for n, (at, lower, upper, covered, opened, counted) in enumerate(shown):
            middle, high, low = x(n), y(max(upper, lower)), y(lower)
            ink.shape(
                "rect", x=middle - wide / 2, y=high, width=wide, height=max(low - high, 3), stroke=ACCENT,
                fill=ink.hatch(), stroke_width=1.5,
            )  # fmt: skip
            diamond(ink, middle, y(covered))
            if (len(shown) - 1 - n) % every == 0:
                ink.text(middle, bottom + 20, _day(at), font_size=11, text_anchor="middle", fill=MUTED)
                ink.text(
                    middle, bottom + 37, same(f"{opened}/{counted}"), text_anchor="middle", font_weight=600
                )
        if shown:
            place = x(len(shown) - 1) + wide / 2 + 8
            score_y, covered_y = y(shown[-1][1]) + 4, y(shown[-1][3]) + 4
            if abs(score_y - covered_y) < 15:
                score_y = covered_y + 15 if covered_y < bottom - 15 else covered_y - 15
            ink.text(place, score_y, interval(*shown[-1][1:3]), font_size=12, font_weight=600)
            ink.text(place, covered_y, figure(shown[-1][3], "%"), font_size=12, fill=UNKNOWN)
        ink.legend(
            bottom + 48,
            WIDTH,
            [
                (_swatch(ink, ink.hatch()), words("figure.score")),
                (lambda x_, y_: diamond(ink, x_ + 18, y_ + 18), words("figure.coverage")),
                (
                    lambda x_, y_: ink.text(
                        x_ + 18, y_ + 22, same("n/m"), text_anchor="middle", font_weight=600
                    ),
                    words("chart.gates_open"),
                ),
            ],
        )

    said = _listed((_day(point[0]).vi, _summary(*point[1:])) for point in shown)
    return _picture("chart-trend", words("chart.trend"), said, WIDTH, 320, draw)


def _day(at: str) -> Text:
    found = moment(at)
    return Text(found.vi.partition(" ")[0], found.en.partition(" ")[0])


def _summary(lower: float, upper: float, covered: float, opened: int, counted: int) -> Text:
    score, share = interval(lower, upper), figure(covered, "%")
    return Text(f"{score.vi}, {share.vi}, {opened}/{counted}", f"{score.en}, {share.en}, {opened}/{counted}")


# --- places -------------------------------------------------------------------------------------------------

_BROADEST, _NODE, _HIGH, _STEP, _TOP = 960, 264, 46, 60, 38
_EDGES: Final[dict[str, dict[str, object]]] = {
    "plain": {"fill": SOFT, "stroke": RULE},
    "foreign": {"fill": "#fff", "stroke": FAIL, "stroke_width": 2.5},
    "unmapped": {"fill": "#fff", "stroke": UNKNOWN, "stroke_width": 1.5, "stroke_dasharray": "5 4"},
}
_DASHES: Final = {"backup": "10 5", "replication": "2 5"}
_APART: Final = {"": 0, "backup": -11, "replication": 11}
"""How far above or below the middle of a box each kind of line meets it, so that they are told apart."""


@dataclass(frozen=True, slots=True)
class _Node:
    """One box. `mark`: plain, foreign, or unmapped."""

    x: float
    y: float
    title: Text
    note: str
    mark: str


def places(found: Places, flows: Sequence[Flow]) -> Picture | None:
    """Names clouds give, declared sites and their provinces, with what is backed up and replicated where.

    Copies that evidence of failed residency puts abroad, or at no declared place, are drawn as replication
    where no flow tells more. None where there is nothing to draw, or too much for a drawing.
    """
    known = {site.id for site in found.sites}
    told = {(one.origin, one.site) for one in flows}
    more = (
        Flow("replication", one.origin, one.site, one.country not in (None, DOMESTIC))
        for one in found.abroad
        if one.origin in found.names and (one.origin, one.site) not in told
    )
    routes = sorted(
        {
            (one.kind, one.origin, one.site if one.site in known else None, one.foreign)
            for one in (*flows, *more)
        },
        key=str,
    )
    names = {*found.names, *(origin for _, origin, _, _ in routes)}
    links = sorted(found.links, key=str)
    nowhere = any(site is None for _, site in links) or any(site is None for _, _, site, _ in routes)
    sites: list[Site | None] = [*found.sites, *([None] if nowhere else [])]
    provinces: list[Province | None] = [*found.provinces, *([None] if nowhere else [])]
    if not names or max(len(names), len(sites)) > MOST_ROWS:
        return None
    rank = {site.id if site else None: n for n, site in enumerate(sites)}
    at = {name: sorted(rank[site] for origin, site in links if origin == name) for name in names}
    ordered = sorted(names, key=lambda name: (at[name], name[0], name[1] or ""))
    bottom = _TOP + _STEP * max(len(ordered), len(sites), len(provinces))
    lefts = {name: _name_node(name, y) for name, y in _spread(ordered, bottom)}
    middles = {site.id if site else None: _site_node(site, y) for site, y in _spread(sites, bottom)}
    rights = {
        (place.country, place.name) if place else None: _province_node(place, y)
        for place, y in _spread(provinces, bottom)
    }
    kinds = [kind for kind in _DASHES if any(route[0] == kind for route in routes)]
    abroad = any(foreign for *_, foreign in routes)
    words = labels()

    def draw(ink: _Ink) -> None:
        heads = ("report.api_names", "report.declared_sites", "column.province")
        for key, x in zip(heads, (0, (_BROADEST - _NODE) / 2, _BROADEST - _NODE), strict=True):
            ink.pair(x, -2, words(key), _NODE, 12.5, fill=MUTED)
        for name, site in links:
            _line(ink, lefts[name], middles[site])
        for site_ in sites:
            province = (site_.country, site_.province) if site_ else None
            _line(ink, middles[site_.id if site_ else None], rights[province])
        for kind, origin, to, foreign in routes:
            _line(ink, lefts[origin], middles[to], kind, foreign=foreign)
        for node in (*lefts.values(), *middles.values(), *rights.values()):
            _box(ink, node)
        keys = [(_route(ink, kind, ACCENT), words(f"chart.{kind}")) for kind in kinds]
        if abroad:
            keys.append((_route(ink, "", FAIL), words("chart.abroad")))
        ink.legend(bottom + 4, _BROADEST, keys)

    said = words("chart.places_said", names=len(names), sites=len(known), flows=len(routes))
    height = bottom + 4 + 36 * ((len(kinds) + abroad + 1) // 2)
    return _picture("chart-places", words("report.places"), said, _BROADEST, height, draw)


def _spread(column: Sequence[T], bottom: float) -> Iterable[tuple[T, float]]:
    """Each entry of a column with the top of its box."""
    room = (bottom - _TOP) / max(len(column), 1)
    for n, entry in enumerate(column):
        yield entry, round(_TOP + (n + 0.5) * room - _HIGH / 2)


def _name_node(name: Name, y: float) -> _Node:
    target, region = name
    return _Node(2, y, same(region or target), target if region else "", "plain")


def _site_node(site: Site | None, y: float) -> _Node:
    x = (_BROADEST - _NODE) / 2
    if site is None:
        return _Node(x, y, labels()("report.unmapped"), "", "unmapped")
    return _Node(x, y, same(site.name), site.id, "plain" if site.domestic else "foreign")


def _province_node(place: Province | None, y: float) -> _Node:
    x = _BROADEST - _NODE - 2
    if place is None:
        return _Node(x, y, labels()("word.unknown"), "", "unmapped")
    return _Node(x, y, same(place.name), place.country, "plain" if place.domestic else "foreign")


def _box(ink: _Ink, node: _Node) -> None:
    ink.shape("rect", x=node.x, y=node.y, width=_NODE, height=_HIGH, rx=3, **_EDGES[node.mark])
    x, room = node.x + 10, _NODE - 18.0
    if node.mark == "unmapped":
        ink.sign("unknown", x + 6, node.y + 23, UNKNOWN)
        ink.pair(x + 20, node.y + 5, node.title, room - 20, font_weight=600)
        return
    if node.mark == "foreign":
        ink.shape("path", d=f"M{_n(x)} {_n(node.y + 18)}l6-11 6 11z", fill=FAIL)
    inset = 18 if node.mark == "foreign" else 0
    ink.parts.append(f'<svg x="{_n(x)}" y="{_n(node.y)}" width="{_n(room)}" height="{_HIGH}">')
    if not node.note:
        ink.text(inset, 28, same(_fit(node.title.vi, room - inset, 13)), font_weight=600)
    else:
        ink.text(inset, 19, same(_fit(node.title.vi, room - inset, 13)), font_weight=600)
        note = _fit(node.note, room / 2 if node.mark == "foreign" else room, 12)
        if node.mark == "foreign":
            abroad = labels()("report.foreign")
            ink.text(
                0, 37, Text(f"{note} · {abroad.vi}", f"{note} · {abroad.en}"),
                font_size=12, font_weight=600, fill=FAIL,
            )  # fmt: skip
        else:
            ink.text(0, 37, same(note), font_size=12, fill=MUTED)
    ink.parts.append("</svg>")


def _line(ink: _Ink, start: _Node, end: _Node, kind: str = "", *, foreign: bool = False) -> None:
    """From a box to one right of it: where something is, or with an arrow where it is copied to."""
    x1, y1 = start.x + _NODE, start.y + _HIGH / 2 + _APART[kind]
    x2, y2 = end.x - (9 if kind else 0), end.y + _HIGH / 2 + _APART[kind]
    middle = (x1 + x2) / 2
    path = f"M{_n(x1)} {_n(y1)}C{_n(middle)} {_n(y1)} {_n(middle)} {_n(y2)} {_n(x2)} {_n(y2)}"
    if kind:
        color = FAIL if foreign else UNKNOWN if end.mark == "unmapped" else ACCENT
        ink.shape(
            "path", d=path, fill="none", stroke=color, stroke_width=3 if foreign else 2, **_dashes(kind)
        )  # fmt: skip
        ink.shape("path", d=f"M{_n(x2 + 9)} {_n(y2)}l-10-5v10z", fill=color)
    else:
        edge = {name: value for name, value in _EDGES[end.mark].items() if name != "fill"}
        ink.shape("path", d=path, fill="none", **edge)


def _route(ink: _Ink, kind: str, color: str) -> Callable[[float, float], None]:
    def draw(x: float, y: float) -> None:
        path = f"M{_n(x + 2)} {_n(y + 18)}h26"
        more = _dashes(kind) if kind else {}
        ink.shape("path", d=path, stroke=color, stroke_width=2 if kind else 3, **more)
        ink.shape("path", d=f"M{_n(x + 38)} {_n(y + 18)}l-10-5v10z", fill=color)

    return draw


def _dashes(kind: str) -> dict[str, object]:
    return {"stroke_dasharray": _DASHES[kind], "stroke_linecap": "butt" if kind == "backup" else "round"}
