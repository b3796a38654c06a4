"""What a scenario file may say: every field, its unit, its default and its limits.

Field documentation stands under the field, once: the JSON schema, the tables in `docs/` and the app's tooltips are
made from it. Numbers are *observed* under the policy `as_is` unless a type marks them `natural`.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from planner import evidence
from planner.scenario import clocks
from planner.scenario.problems import FieldError, FieldErrors, clip, counted, nearest, some

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FULL_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_NAMES = {name: day for full, day in zip(_FULL_NAMES, DAYS, strict=True) for name in (day, full)}
DAY_MIN = 1440
LEAST_DEFERRED_PATIENCE_S = 3_600
"""A mean patience below it belongs to somebody on the line."""
MOST_LOG_ODDS = 20
"""Beyond it a share is 0 or 1 to nine digits."""
LEAST_OCCUPANCY = 0.05
"""Under a lower ceiling nearly everybody waits for work that never comes."""


# --- small kinds --------------------------------------------------------------------------------------------------


def _minute(value: Any) -> int:
    """Minutes from midnight of "HH:MM"; whole minutes pass as they are."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= DAY_MIN:
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and int(value) <= DAY_MIN:
        return int(value)  # as a kept run writes it
    match = re.fullmatch(r"(\d{1,2}):(\d{2})", str(value).strip())
    if not match or int(match[2]) > 59 or int(match[1]) * 60 + int(match[2]) > DAY_MIN:
        raise ValueError("must be a time from 00:00 to 24:00, like 08:30")
    return int(match[1]) * 60 + int(match[2])


def _hours(value: Any) -> tuple[int, int] | None:
    text = str(value).strip().lower()
    if value is None or text == "closed":
        return None
    if isinstance(value, (tuple, list)) and len(value) == 2:
        return _minute(value[0]), _minute(value[1])
    if text in ("always", "all day"):
        return 0, DAY_MIN
    parts = re.split(r"\s*(?:-|–|to)\s*", text)
    try:
        start, end = (_minute(part) for part in parts)
    except ValueError:
        raise ValueError(
            'must be hours like "08:00-20:00" (from 00:00 to 24:00), always, or closed'
        ) from None
    if end <= start:
        raise ValueError("must end after it starts, on the same day (24:00 is the latest end)")
    return start, end


def days_of(text: str) -> tuple[int, ...]:
    """Day numbers (0 is Monday) of "mon", "mon-fri", "sat, sun" or "every day"."""
    found: list[int] = []
    for part in str(text).lower().split(","):
        name = part.strip()
        if name in ("every day", "all"):
            found += range(7)
            continue
        ends = [_DAY_NAMES.get(end.strip(), "") for end in re.split("[-–]", name)]
        if not 1 <= len(ends) <= 2 or not all(ends):
            which = f": {clip(name, 40)} is none" if "," in str(text) else ""
            raise ValueError(f"must be days like mon, mon-fri or every day{which}")
        first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
        found += [(first + i) % 7 for i in range((last - first) % 7 + 1)]
    return tuple(sorted(set(found)))


def _day_key(value: Any) -> str:
    days_of(value)
    return str(value)


def _time_key(value: Any) -> int:
    return _minute(value)


def _each_time_once(value: Any) -> Any:
    """Refuse 8:00 beside 08:00."""
    seen: dict[int, Any] = {}
    for key in value if isinstance(value, Mapping) else ():
        try:
            first = seen.setdefault(_minute(key), key)
        except ValueError:  # told by the key itself
            continue
        if first != key:
            raise FieldError((key,), key, f"is the same time as {first}: keep one")
    return value


def _each_day_once(name: str, values: Mapping[Any, Any]) -> list[FieldError]:
    """An error for each key of days that has a day of a key before it."""
    errors, owner = [], dict[int, str]()
    for key in values:
        days = days_of(key) if isinstance(key, str) else ()
        twice = [day for day in days if day in owner]
        if twice:
            day, first = DAYS[twice[0]], owner[twice[0]]
            errors.append(
                FieldError((name, key), key, f"names {day}, which {first} names too: give each day once")
            )
        owner |= {day: key for day in days if day not in owner}
    return errors


_TIME_SCHEMA = WithJsonSchema({"type": "string", "pattern": r"^\d{1,2}:\d{2}$", "examples": ["08:30"]})
_HOURS_SCHEMA = WithJsonSchema({"type": "string", "examples": ["08:00-20:00", "always", "closed"]})


def _starts(value: Any) -> tuple[int, int]:
    if isinstance(value, (tuple, list)) and len(value) == 2:
        return _minute(value[0]), _minute(value[1])
    parts = re.split(r"\s*(?:-|–|to)\s*", str(value).strip().lower())
    try:
        first, last = (_minute(part) for part in (parts * 2 if len(parts) == 1 else parts))
    except ValueError:
        raise ValueError('must be a start like "09:00", or a range like "07:00-12:00"') from None
    if last < first:
        raise ValueError("must not end before it begins")
    return first, last


_STARTS_SCHEMA = WithJsonSchema({"type": "string", "examples": ["07:00-12:00", "09:00"]})
Starts = Annotated[tuple[int, int], BeforeValidator(_starts), _STARTS_SCHEMA]
Minute = Annotated[int, BeforeValidator(_minute), _TIME_SCHEMA]
Hours = Annotated[tuple[int, int] | None, BeforeValidator(_hours), _HOURS_SCHEMA]
DaysKey = Annotated[str, BeforeValidator(_day_key)]
Share = Annotated[float, Field(ge=0, le=1)]
Ceiling = Annotated[float, Field(ge=LEAST_OCCUPANCY, le=1)]
BelowOne = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0, le=1e9)]
NotNegative = Annotated[float, Field(ge=0, le=1e9)]
Money = Annotated[float, Field(ge=0, le=1e12)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
LongSeconds = Annotated[float, Field(ge=1, le=86_400)]
LogOdds = Annotated[float, Field(ge=-MOST_LOG_ODDS, le=MOST_LOG_ODDS)]
Label = Annotated[str, Field(max_length=200)]
Prose = Annotated[str, Field(max_length=4_000)]
Minutes = Annotated[float, Field(ge=0, le=1_440)]
ByTime = Annotated[
    dict[Annotated[int, BeforeValidator(_time_key)], Annotated[float, Field(ge=0, le=1e9)]],
    BeforeValidator(_each_time_once),
    WithJsonSchema(
        {"type": "object", "additionalProperties": {"type": "number"}, "examples": [{"08:00": 3.5}]}
    ),
]
"""Values by time of day; each holds until the next time."""


def _spans(value: Any) -> tuple[tuple[int, int], ...]:
    """Hours of one day, one or several; what ends before it starts ends on the next."""
    text = str(value).strip().lower()
    if value is None or text in ("closed", "off", "none"):
        return ()
    if text in ("always", "all day"):
        return ((0, DAY_MIN),)
    if isinstance(value, (tuple, list)):
        spans = [(int(start), int(end)) for start, end in value]  # as a kept run writes it
    else:
        spans = []
        for part in text.split(","):
            ends = re.split(r"\s*(?:-|–|to)\s*", part.strip())
            try:
                start, end = (_minute(each if ":" in each else "") for each in ends)
            except ValueError:
                raise ValueError(
                    'must be hours like "08:00-18:00", "22:00-06:00" (into the next day), several joined by commas, always, or off'
                ) from None
            spans.append((start, end if end > start else end + DAY_MIN))
    for (_, end), (start, _) in pairwise(spans):
        if start < end:
            raise ValueError("must have hours one after another, which do not overlap")
    return tuple(spans)


_SPANS_SCHEMA = WithJsonSchema(
    {
        "type": "string",
        "examples": ["08:00-18:00", "08:00-12:00, 17:00-21:00", "22:00-06:00", "always", "off"],
    }
)
Spans = Annotated[tuple[tuple[int, int], ...], BeforeValidator(_spans), _SPANS_SCHEMA]


def _day(value: Any) -> str:
    """A day of the horizon by its number, or a date, as text."""
    text = str(value).strip()
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 70 and not isinstance(value, bool):
        return str(int(text))
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(
            "must be a date such as 2026-03-31, or the number of a day, 1 for the first"
        ) from None


def _stretch(value: Any) -> tuple[str, str]:
    """First and last day of "2026-03-04", "2026-03-04..2026-03-08", 3 or "3..5"."""
    if isinstance(value, (tuple, list)) and len(value) == 2:
        ends = [_day(end) for end in value]
    else:
        ends = [_day(end) for end in re.split(r"\s*(?:\.\.|–| to )\s*", str(value).strip())]
        ends = ends * 2 if len(ends) == 1 else ends
    if len(ends) != 2 or ends[0].isdigit() != ends[1].isdigit():
        raise ValueError("must be a day or two, like 2026-03-04, 2026-03-04..2026-03-08 or 3..5")
    first, last = ends
    if (int(last) < int(first)) if first.isdigit() else (last < first):
        raise ValueError("must not end before it begins")
    return first, last


Day = Annotated[
    str, BeforeValidator(_day), WithJsonSchema({"type": ["string", "integer"], "examples": ["2026-03-04", 3]})
]
Stretch = Annotated[
    tuple[str, str],
    BeforeValidator(_stretch),
    WithJsonSchema({"type": ["string", "integer"], "examples": ["2026-03-04", "2026-03-04..2026-03-08", 3]}),
]


def _zone(value: Any) -> str:
    known = clocks.zones()
    if not isinstance(value, str) or value not in known:
        close = nearest(str(value), known)
        raise FieldError((), value, "must be a time zone of the IANA list, like Europe/Berlin", close)
    return value


Zone = Annotated[str, BeforeValidator(_zone)]


def _proficiency(value: Any) -> Any:
    """A list of types stands for full proficiency in each."""
    if isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value):
        twice = [name for i, name in enumerate(value) if name in value[:i]]
        if twice:
            raise FieldError((), twice[0], "must name each type once")
        return dict.fromkeys(value, 1.0)
    return value


Proficiency = Annotated[
    dict[str, Annotated[float, Field(ge=0, le=1.5)]],
    BeforeValidator(_proficiency),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1.5}},
            ]
        }
    ),
]

MOST_PEOPLE = 20_000
OFF_PHONE = ("coaching", "meeting", "training")
DEFERRED_CHANNELS = ("messaging", "email")
MOST_CHATS = 12
"""Chats at once of one person: more than anybody has reported."""
_BY_DAY = ("hours", "weekdays", "profile_by_day", "on_duty", "availability")
"""Fields whose mappings may have days as keys."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    @model_validator(mode="after")
    def _printable(self) -> Self:
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, str) and any(
                (ord(c) < 32 and c not in "\n\t") or ord(c) == 127 for c in value
            ):
                raise FieldError((name,), value, "must not hold control characters")
        return self

    @model_validator(mode="after")
    def _days_apart(self) -> Self:
        errors = []
        for name in _BY_DAY:
            value = getattr(self, name, None)
            if isinstance(value, dict):
                errors += _each_day_once(name, value)
        if errors:
            raise FieldErrors(errors)
        return self


def _known(
    names: Iterable[str], allowed: Iterable[str], path: tuple[Any, ...], what: str, errors: list[FieldError]
) -> None:
    """Report every name that is not among the allowed."""
    choices = list(allowed)
    errors += [
        _unknown(name, choices, (*path, place), what)
        for place, name in enumerate(names)
        if name not in choices
    ]


def _unknown(name: str, choices: list[str], path: tuple[Any, ...], what: str, most: int = 40) -> FieldError:
    allowed = (
        f"must be {what}: {some(choices, most)}" if choices else f"must be {what}, of which there are none"
    )
    return FieldError(path, name, allowed, nearest(str(name), choices))


# --- when ---------------------------------------------------------------------------------------------------------


class Horizon(_Part):
    """The measured days and their intervals."""

    start: datetime.date = datetime.date(2026, 3, 2)
    """First measured day (YYYY-MM-DD)."""
    days: Annotated[int, Field(ge=1, le=70)] = 7
    """Measured days. Before and after them the horizon repeats itself."""
    interval_min: Literal[5, 10, 15, 30, 60] = 30
    """Length of an interval, minutes; 5 and 10 where people are given as numbers (`on_duty`) and not in shifts."""
    warm_up_days: Annotated[int, Field(ge=0, le=120)] | None = None
    """Days simulated before the horizon; by default the 99th percentile of the return delay, and one at least where the
    doors never close."""
    follow_up_days: Annotated[int, Field(ge=0, le=180)] | None = None
    """Days simulated after it, so that needs born in it are followed to their end; by default as many."""


class Opening(_Part):
    """When people answer."""

    hours: dict[DaysKey, Hours] = {"every day": (0, DAY_MIN)}
    """Hours by day or range of days: `mon-fri: 08:00-20:00`; days not named are closed."""
    at_close: Literal["serve_out", "send_away"] = "serve_out"
    """What becomes of those waiting when the doors close."""
    out_of_hours: Literal["call_back", "lost", "message"] = "call_back"
    """What becomes of those who reach the people's queue while it is closed: called back in the first hour of the
    next opening, lost, or asked for a message, which is answered like an e-mail; no target judges such messages, see
    `message_wait_h`. Messaging and e-mail wait by themselves."""

    def by_weekday(self) -> list[tuple[int, int] | None]:
        """Opening minutes for Monday to Sunday."""
        week: list[tuple[int, int] | None] = [None] * 7
        for key, hours in self.hours.items():
            for day in days_of(key):
                week[day] = hours
        return week

    @model_validator(mode="after")
    def _some_day_open(self) -> Opening:
        if not any(self.by_weekday()):
            raise FieldError(("hours",), None, "must be open on at least one day")
        return self


# --- customers ----------------------------------------------------------------------------------------------------


class Segment(_Part):
    """A kind of customer."""

    share: Positive = 1
    """Relative share of needs (normalised over the segments)."""
    value: Money = 0
    """Remaining discounted margin of one customer: what is lost if they leave."""
    needs_per_year: Annotated[float, Field(ge=0.001, le=10_000)] = 1
    """Needs of one customer in a year."""
    vulnerable: Share = 0
    """Share of needs whose customer is in vulnerable circumstances."""


class HandleTime(_Part):
    """Observed handle time of contacts that reached people."""

    talk_s: LongSeconds | ByTime
    """Mean talk and hold, seconds; a number, or by time of day (`"08:00": 300`)."""
    acw_s: Seconds = 0
    """Mean after-contact work, seconds."""
    cv: Annotated[float, Field(ge=0, le=5)] | None = None
    """Coefficient of variation of talk; by default from the evidence table."""
    family: Literal["lognormal", "exponential", "gamma", "fixed"] = "lognormal"
    """Distribution of talk."""
    acw_family: Literal["lognormal", "exponential", "gamma", "fixed"] = "exponential"
    """Distribution of after-contact work."""
    acw_cv: Annotated[float, Field(ge=0, le=5)] = 1.0
    """Its coefficient of variation (lognormal and gamma)."""


class HazardPiece(_Part):
    """A stretch of waiting with a constant hazard of leaving."""

    to_s: Positive
    """Upper end, seconds waited."""
    per_min: Annotated[float, Field(ge=0, le=10_000)]
    """Hazard per minute within it."""


class Patience(_Part):
    """How long customers wait before they leave."""

    mean_s: Annotated[float, Field(ge=1, le=1e9)] | ByTime = 300.0
    """Mean patience in seconds (for hazard pieces: ignored); a number, or by time of day of the arrival."""
    family: Literal["exponential", "weibull", "lognormal", "hazard", "infinite"] = "exponential"
    """Distribution. `infinite`: nobody leaves."""
    shape: Annotated[float, Field(gt=0.05, le=10)] = 1.0
    """Weibull shape, or the lognormal's sigma."""
    pieces: Annotated[tuple[HazardPiece, ...], Field(max_length=200)] = ()
    """Hazard by stretch of waiting; the last one goes on for ever."""
    balk: BelowOne = 0
    """Share who leave at once if they have to wait at all."""

    @model_validator(mode="after")
    def _pieces_ascend(self) -> Patience:
        if self.family == "hazard" and not self.pieces:
            raise FieldError(("pieces",), None, "needs at least one piece where the family is hazard")
        ends = [piece.to_s for piece in self.pieces]
        for i, (before, end) in enumerate(pairwise(ends), 1):
            if end <= before:
                raise FieldError(
                    ("pieces", i, "to_s"),
                    end,
                    f"must be greater than {before:g}, where the piece before it ends",
                )
        if self.pieces and self.pieces[-1].per_min <= 0:
            raise FieldError(
                ("pieces", len(ends) - 1, "per_min"), 0, "must be greater than 0 in the last piece"
            )
        return self


class BotForSegment(_Part):
    """What differs for one segment; what is left out is as for the type."""

    offered: Share | None = None
    """Share of its contacts offered to automation."""
    contained: BelowOne | None = None
    """Containment of its sessions."""
    false: Share | None = None
    """Of its contained at average difficulty, the share whose need was not met."""
    session_s: Seconds | None = None
    """Mean length of its sessions, seconds."""
    asks: BelowOne | None = None
    """Share of its sessions that ask for a person."""
    hangs_up: BelowOne | None = None
    """Share of its sessions that hang up in the bot."""
    cost_per_session: Money | None = None
    """Variable cost of one of its sessions."""


class Automation(_Part):
    """The automated front for one contact type."""

    offered: Share = 0
    """Share of contacts offered to it."""
    contained: BelowOne = 0
    """Containment, gross: share of its sessions after which the log says "contained"."""
    false: Share | None = None
    """Of the contained at average difficulty, the share whose need was not met; default from the evidence table."""
    session_s: Seconds = 120
    """Mean length of a session, seconds."""
    asks: BelowOne | None = None
    """Share of sessions that ask for a person; default from the evidence table."""
    hangs_up: BelowOne | None = None
    """Share of sessions that hang up in the bot; default from the evidence table."""
    ask_s: Seconds = 20
    """Time lost before somebody who asks is let out, seconds."""
    context: Share = 0.5
    """Share of handovers whose context reaches the person."""
    hours: Hours = (0, DAY_MIN)
    """The bot's own hours, every day."""
    cost_per_session: Money = 0
    """Variable cost of a session."""
    by_segment: dict[str, BotForSegment] = {}
    """Exceptions by segment."""

    @property
    def contains(self) -> bool:
        """Whether any session ends with it; behind a greeting everybody goes on to people."""
        ways = (self, *(self.of(segment) for segment in self.by_segment))
        return any(bot.offered > 0 and bot.contained > 0 for bot in ways)

    def of(self, segment: str) -> Automation:
        """What one segment meets."""
        special = self.by_segment.get(segment)
        return self if special is None else self.model_copy(update=special.model_dump(exclude_none=True))


class Route(_Part):
    """A group that may help, after a wait."""

    group: str
    """Name of the group."""
    after_s: Seconds = 0
    """Offered to it after so many seconds."""


Natural = Literal["offered", "handle", "resolved", "heard", "contained", "intense"]


class ContactType(_Part):
    """A type of contact, as observed today."""

    title: Label = ""
    """Name for people."""
    channel: Literal["voice", "chat", "messaging", "email"] = "voice"
    """Channel. Voice: one at a time. Chat: as many at once as the group's `chats`. Messaging and email are deferred: they
    wait over nights and weekends, and are answered by age after all that is live."""
    offered_per_week: NotNegative
    """Contacts offered in a standard week (all seven days, repeats and redials inside)."""
    weekdays: dict[DaysKey, NotNegative] = {}
    """Relative volume by day; by default all open days alike."""
    profile: ByTime = {}
    """Relative arrival rate by time of day, each until the next; by default level over opening hours."""
    profile_by_day: dict[DaysKey, ByTime] = {}
    """Other profiles for some days."""
    handle: HandleTime
    """Handle time; of chats as a log shows it: from the answer to the close, at today's number of chats at once."""
    patience: Patience = Patience()
    """Patience. Of deferred types: how long customers wait for an answer before they write again or give up; left out, for
    as long as it takes."""
    silent: BelowOne | None = None
    """Chat: share of answered chats whose customer is gone already; default from the evidence table."""
    silent_s: Seconds | None = None
    """Chat: seconds until such a chat's slot is given back; default from the evidence table."""
    segments: dict[str, Positive] = {}
    """Shares of the segments in this type; by default the segments' own."""
    intense: BelowOne | None = None
    """Share of contacts reaching people that are emotionally intense; default from the evidence table."""
    emotional_ratio: Annotated[float, Field(ge=1, le=3)] | None = None
    """Handle time of intense against other contacts, total ratio; default from the evidence table."""
    emotional: bool = False
    """Marked as complex or emotional: policies may treat it so."""
    resolved: Annotated[float, Field(gt=0.02, lt=0.99)] | None = None
    """First-contact resolution of answered contacts; default from the evidence table."""
    heard: Annotated[float, Field(gt=0.02, lt=0.99)] | None = None
    """Share of answered customers who were heard; default from the evidence table."""
    keyword: Share = 0
    """Share of needs whose customer would say the watched words."""
    churn_scale: Annotated[float, Field(ge=0, le=1_000)] = 1
    """Factor on excess churn for this type."""
    automation: Automation = Automation()
    """The automated front."""
    priority: Annotated[int, Field(ge=1, le=9)] = 5
    """Priority in the queue, 1 first."""
    route: tuple[str | Route, ...] = ()
    """Groups in the order a contact prefers them; by default those with the skill, best placed first."""
    natural: tuple[Natural, ...] = ()
    """Which of these numbers are natural values, not observed ones (a natural handle time of chats is that of one at a
    time)."""

    @property
    def deferred(self) -> bool:
        """Whether it waits for hours, and not on the line."""
        return self.channel in DEFERRED_CHANNELS

    @property
    def says_patience(self) -> bool:
        """Whether the file says how long customers wait."""
        return self.patience != Patience()

    @model_validator(mode="after")
    def _says_nothing_of_other_channels(self) -> ContactType:
        errors = []
        if (
            self.deferred
            and self.says_patience
            and self.patience.family in ("exponential", "lognormal", "weibull")
        ):
            mean = self.patience.mean_s
            least = min(mean.values(), default=0.0) if isinstance(mean, dict) else mean
            if least < LEAST_DEFERRED_PATIENCE_S:
                errors.append(
                    FieldError(("patience", "mean_s"), least, f"must be at least {LEAST_DEFERRED_PATIENCE_S:,} seconds for {self.channel}: how long customers wait for an answer before they write again or give up")
                )  # fmt: skip
        if self.deferred and self.patience.balk:
            allowed = f"must be 0 for {self.channel}: whoever writes sees no queue to turn away from"
            errors.append(FieldError(("patience", "balk"), self.patience.balk, allowed))
        errors += [
            FieldError((name,), getattr(self, name), f"is read for chat, and this type is {self.channel}")
            for name in ("silent", "silent_s")
            if self.channel != "chat" and getattr(self, name) is not None
        ]
        if errors:
            raise FieldErrors(errors)
        return self


# --- people -------------------------------------------------------------------------------------------------------


class Group(_Part):
    """People with the same skills."""

    title: Label = ""
    """Name for people."""
    skills: Annotated[
        tuple[str | Annotated[tuple[str, ...], Field(min_length=1, max_length=40)], ...],
        Field(min_length=1, max_length=40),
    ]
    """Contact types in priority order; types in one inner list are equal."""
    headcount: Annotated[int, Field(ge=0, le=100_000)] = 0
    """People employed today."""
    hours_per_week: Annotated[float, Field(ge=1, le=60)] = 37.5
    """Contract: paid hours a week."""
    cost_per_hour: Money = 0
    """Cost of a paid hour, employer's charges included."""
    outsourced: bool = False
    """Paid as outsourcing, not as payroll."""
    second_tier: bool = False
    """Takes escalations and what is passed on."""
    on_duty: ByTime | dict[DaysKey, ByTime] | None = None
    """Fixed staffing instead of shifts: people on duty by time of day, or by days and time."""
    shifts: tuple[str, ...] = ()
    """Names of the shifts that its people work; by default all."""
    empathy: Share = 0
    """Empathy skill."""
    heard: LogOdds = 0
    """Added to the log-odds of being heard."""
    resolved: LogOdds = 0
    """Added to the log-odds of resolving."""
    speed: dict[str, Annotated[float, Field(ge=0.1, le=10)]] = {}
    """Factor on handle time by type (1.1 is slower)."""
    spread: Annotated[float, Field(ge=0, le=1)] | None = None
    """Spread of handle time between its people (CV); default from the evidence table."""
    newcomers: BelowOne | None = None
    """Share of its people who are new and work at the speed of the ramp. Left out: those whom attrition brings in the
    weeks of a ramp, as slow as the spread of handle time has them already."""
    chats: Annotated[int, Field(ge=1, le=MOST_CHATS)] | None = None
    """Chats that one of its people may hold at once (missing: 1); every chat type needs a group that says so. Calls and
    deferred work are done one at a time, and never beside a chat."""
    chat_handle_by_level: dict[
        Annotated[int, Field(ge=2, le=MOST_CHATS)], Annotated[float, Field(ge=1, le=MOST_CHATS)]
    ] = {}
    """Handle time of a chat with so many at once, over that of one alone: `{2: 1.35, 3: 1.7}`; a level for each number from
    2 up to the most that the group or a policy allows; by default from the evidence table."""
    reserved: Share = 0
    """Share of its people on duty that deferred work may claim before live contacts are taken: whole people, rounded up, so
    that 0.05 of 12 people is one."""


class ShrinkageItem(_Part):
    """Paid or contracted time that is not on the queue."""

    name: Label
    """What it is."""
    kind: Literal["leave", "absence", "lateness", "adherence", "coaching", "meeting", "training"]
    """leave: planned days off. absence: unplanned days. lateness and adherence: minutes lost on the day. coaching,
    meeting, training: planned time off the phone, put into the schedule."""
    share: BelowOne
    """Share of paid time."""
    weekdays: dict[DaysKey, NotNegative] = {}
    """Relative weight by day (absence, lateness and adherence)."""


class ShiftBreak(_Part):
    """Time within a shift away from the queue."""

    name: Label
    """What it is."""
    minutes: Annotated[int, Field(ge=5, le=240, multiple_of=5)]
    """Length."""
    paid: bool = False
    """Whether it is paid."""
    earliest: Annotated[int, Field(ge=0, le=1440)]
    """Earliest start, minutes into the shift."""
    latest: Annotated[int, Field(ge=0, le=1440)]
    """Latest start, minutes into the shift."""
    kind: Literal["break", "lunch"] = "break"
    """Kind."""


class ShiftType(_Part):
    """A shift that may be worked."""

    hours: Annotated[float, Field(ge=1, le=14)]
    """From start to end, unpaid breaks inside."""
    starts: Starts
    """Earliest and latest start, "07:00-12:00"; or the only one, "09:00"."""
    every_min: Literal[15, 30, 60] = 30
    """Steps between possible starts."""
    days: DaysKey = "every day"
    """Days on which it may start."""
    breaks: Annotated[tuple[ShiftBreak, ...], Field(max_length=12)] = ()
    """Breaks in their order."""

    @property
    def paid_minutes(self) -> int:
        """Length less unpaid breaks."""
        return round(self.hours * 60) - sum(pause.minutes for pause in self.breaks if not pause.paid)

    @model_validator(mode="after")
    def _breaks_fit(self) -> ShiftType:
        length = round(self.hours * 60)
        for i, pause in enumerate(self.breaks):
            if pause.earliest + pause.minutes > length:
                raise FieldError(
                    ("breaks", i, "earliest"), pause.earliest,
                    f"must be at most {length - pause.minutes}, so that it ends inside the shift of {length} minutes",
                )  # fmt: skip
            if pause.latest < pause.earliest or pause.latest + pause.minutes > length:
                raise FieldError(
                    ("breaks", i, "latest"), pause.latest,
                    f"must lie between earliest ({pause.earliest}) and {length - pause.minutes}, so that it ends inside the shift",
                )  # fmt: skip
        return self


Points = Annotated[int, Field(ge=0, le=100_000)]
RuleName = Literal[
    "rest",
    "days_in_a_row",
    "nights_in_a_row",
    "days_off_together",
    "weekends",
    "successions",
    "paid_time",
    "days",
    "exposure",
    "decompression",
    "rotation",
    "newcomers",
]


class Contract(_Part):
    """What somebody is employed for. Over several weeks it holds on average; a day of leave counts as a day of work."""

    title: Label = ""
    """Name for people."""
    least_hours: Annotated[float, Field(ge=0, le=80)] = 0
    """Paid hours a week, at least."""
    most_hours: Annotated[float, Field(ge=1, le=80)]
    """Paid hours a week, at most."""
    least_days: Annotated[int, Field(ge=0, le=7)] = 0
    """Days worked in a week, at least."""
    most_days: Annotated[int, Field(ge=1, le=7)] | None = None
    """Days worked in a week, at most; by default `days_per_week`."""
    shifts: tuple[str, ...] = ()
    """Names of the shifts that may be given; by default those of the group."""

    @model_validator(mode="after")
    def _least_below_most(self) -> Contract:
        errors = []
        for name in ("hours", "days"):
            least, most = getattr(self, f"least_{name}"), getattr(self, f"most_{name}")
            if most is not None and least > most:
                errors.append(FieldError((f"least_{name}",), least, f"must be at most most_{name}, {most:g}"))
        if errors:
            raise FieldErrors(errors)
        return self


class ExposureLimits(_Part):
    """Emotional minutes of one person at most: minutes on the queue times the share of them that is expected to be emotional then."""

    stretch_min: Annotated[int, Field(ge=1, le=1440)] | None = None
    """From one break to the next; null for no limit."""
    day_min: Annotated[int, Field(ge=1, le=1440)] | None = None
    """In the shift of a day; null for no limit."""
    week_min: Annotated[int, Field(ge=1, le=10080)] | None = None
    """In shifts that start in each seven days from the first of the horizon; null for no limit."""


class DecompressionPauses(_Part):
    """Recovery after so much emotional work. Each shift is then also offered with one, two and three such pauses, placed by the optimiser."""

    after_min: Annotated[int, Field(ge=1, le=1440)]
    """Emotional minutes without a decompression pause, at most; other breaks end nothing."""
    minutes: Annotated[int, Field(ge=5, le=60, multiple_of=5)] = 15
    """Length of each pause; paid, inside the shift."""


class Rotation(_Part):
    """From emotional to routine work inside a shift. Who can do both takes either, or all, from one break to the next."""

    emotional: tuple[str, ...] = ()
    """Contact types that people rotate away from; by default those that are marked emotional."""
    most_min: Annotated[int, Field(ge=1, le=1440)]
    """Minutes on the queue at nothing but these, at most, before there is other work; breaks end nothing."""


class FairShares(_Part):
    """What is to be shared fairly among people of a group with the same terms, no leave and no limited availability: points for each
    unit that the one with most has beyond the one with least. 0 switches a rule off; a person short for a quarter of an hour costs 20."""

    exposure: Points = 1
    """Points for each minute of emotional work."""
    nights: Points = 20
    """Points for each night: a shift that covers 02:00."""
    weekends: Points = 20
    """Points for each weekend with work on Saturday or Sunday."""
    requests: Points = 10
    """Points for each request refused."""


class LabourRules(_Part):
    """Rules for the shifts of one person, beside `rest_hours` and `days_per_week`; breaks are in the shifts."""

    most_days_in_a_row: Annotated[int, Field(ge=1, le=28)] | None = 6
    """Days worked one after another, at most; null for no limit."""
    most_nights_in_a_row: Annotated[int, Field(ge=1, le=28)] | None = 4
    """Nights one after another, at most: shifts that cover 02:00; null for no limit."""
    least_days_off_together: Annotated[int, Field(ge=1, le=7)] = 2
    """Days off one after another, at least; what touches an end of the horizon may be shorter."""
    most_weekends: Annotated[int, Field(ge=0, le=4)] | None = 2
    """Weekends with work on Saturday or Sunday in four weeks, at most; a shorter horizon has its share, rounded up; null for no limit."""
    forbidden_successions: dict[str, tuple[str, ...]] = {}
    """Shifts that may not follow a shift on the next day: `{late: [early]}`."""
    newcomer_weeks: Annotated[float, Field(ge=0, le=104)] | None = None
    """For so many weeks somebody is a newcomer; by default the weeks of the ramp in the evidence table."""
    newcomer_shifts: tuple[str, ...] = ()
    """Names of the shifts that newcomers may work; by default all."""
    exposure: ExposureLimits = ExposureLimits()
    """How much emotional work at most."""
    decompression: DecompressionPauses | None = None
    """Recovery after emotional work, in the shifts; by default none but the policy's."""
    rotation: Rotation | None = None
    """How long at emotional work before there is other work; by default no limit."""
    prices: dict[RuleName, Points | Literal["hard"]] = {}
    """What breaking a rule costs, by its name, or `hard`: points for each minute (`rest`, `paid_time`, `exposure`, `decompression`,
    `rotation`), day (`days`, `days_in_a_row`, `days_off_together`), night (`nights_in_a_row`), weekend (`weekends`), succession
    (`successions`) or shift that is not for newcomers (`newcomers`). A person short on the queue for a quarter of an hour costs
    20 points. What is not named is hard; only `days_off_together` costs 40."""
    fair: FairShares = FairShares()
    """How hard it weighs that people alike have unlike shares of what is hard."""

    def price(self, rule: RuleName) -> int | None:
        """Points for each unit by which a rule is broken; None where it is hard."""
        price = self.prices.get(rule, 40 if rule == "days_off_together" else "hard")
        return None if price == "hard" else int(price)


class Wish(_Part):
    """A request."""

    day: Day
    """The day: a date, or its number in the horizon (1 is the first)."""
    wants: Label
    """`off`, `work`, the name of a shift, or `not` and the name of a shift."""
    weight: Annotated[int, Field(ge=1, le=100_000)] = 20
    """What refusing it costs, in points; 20 is a person short on the queue for a quarter of an hour."""


class Person(_Part):
    """Somebody who is rostered by name: hours, skills and wishes, nothing else. How somebody feels is nobody's field."""

    id: Annotated[str, Field(min_length=1, max_length=60, pattern=r"^\w[\w .@'-]*$", examples=["claims-017"])]
    """Number or name, once in the list."""
    group: str
    """Name of the group: what it costs, its shifts, its place in the routing."""
    skills: Proficiency | None = None
    """Contact types with proficiency, the work done in an hour against the group's: `{claims: 1, billing: 0.8}`; 0 for not
    at all; a list for 1 in each; by default the group's. What the group does not serve is not routed to its people and counts for
    nothing. Cover counts people, whatever their proficiency."""
    contract: str = ""
    """Name of a contract; by default the group's `hours_per_week` on at most `days_per_week` days, to the nearest shift."""
    availability: dict[DaysKey, Spans] = {}
    """Hours by day in which shifts must lie, in the person's own time: `{mon-fri: "08:00-18:00"}`; days that are not named
    are off; by default always. `22:00-06:00` ends on the next day."""
    leave: Annotated[tuple[Stretch, ...], Field(max_length=200)] = ()
    """Days away: dates, stretches of dates (`2026-03-04..2026-03-08`), or numbers of days in the horizon. Dates outside the
    horizon do no harm. No shift touches a day of leave."""
    requests: Annotated[tuple[Wish, ...], Field(max_length=200)] = ()
    """Wishes for days off and shifts; dates outside the horizon do no harm."""
    site: Label = ""
    """Where they work."""
    time_zone: Zone | None = None
    """Time zone of availability and leave; by default the centre's."""
    tenure_weeks: Annotated[float, Field(ge=0, le=3_000)] | None = None
    """Weeks since they began; left out, they are no newcomer."""

    @model_validator(mode="after")
    def _has_skill(self) -> Person:
        errors = []
        if self.skills is not None and not any(self.skills.values()):
            errors.append(
                FieldError(
                    ("skills",), None, "must have a contact type above 0: who has no skill can cover nothing"
                )
            )
        if self.availability and not any(self.availability.values()):
            errors.append(
                FieldError(
                    ("availability",), None, "must have hours on some day: who has none can work no shift"
                )
            )
        if self.site[:1] in ("=", "+", "-", "@"):
            errors.append(
                FieldError(
                    ("site",), self.site, "must not begin with a sign, which spreadsheets would compute"
                )
            )
        if errors:
            raise FieldErrors(errors)
        return self


def _or_a_file(schema: dict[str, Any]) -> None:
    """A list, or the file that holds it, which is read in its place."""
    listed = {key: schema.pop(key) for key in ("type", "items", "maxItems") if key in schema}
    file = {
        "type": "string",
        "description": "A CSV file beside the scenario file.",
        "examples": ["people.csv"],
    }
    schema["anyOf"] = [
        listed,
        {"type": "object", "properties": {"file": file}, "required": ["file"], "additionalProperties": False},
    ]


# --- what is wanted, what it costs ----------------------------------------------------------------------------------


class Target(_Part):
    """A service target or a ceiling."""

    measure: Literal["service_level", "mean_wait", "abandonment", "occupancy", "load"]
    """What is measured."""
    at_least: Share | None = None
    """Lower limit (service level)."""
    at_most: NotNegative | None = None
    """Upper limit: seconds (mean wait), share (abandonment, occupancy), points (load)."""
    within_s: Seconds = 20
    """The acceptable wait of the service level, seconds (voice and chat)."""
    within_h: Annotated[float, Field(gt=0, le=336)] | None = None
    """The same in hours, for deferred types (messaging and email, not what others leave as a message out of hours): elapsed
    hours, nights and weekends inside."""
    definition: Literal["g0", "g1", "g2", "g3"] = "g3"
    """Definition of the service level (g3: answered in time over offered)."""
    types: tuple[str, ...] = ()
    """Contact types taken together, live or deferred ones; by default all live ones, with `within_h` all deferred ones."""
    groups: tuple[str, ...] = ()
    """Groups (occupancy and load); by default all."""
    window: Literal["interval", "day", "week"] = "day"
    """Over which the measure is taken."""
    with_probability: Annotated[float, Field(gt=0.5, lt=1)] | None = None
    """Met in this share of windows; without it, in expectation."""
    floor: Share | None = None
    """For day and week: no interval's expected service level below this."""

    @property
    def wait_s(self) -> float:
        """The acceptable wait of the service level, seconds."""
        return self.within_s if self.within_h is None else self.within_h * 3600

    @model_validator(mode="after")
    def _hours_or_seconds(self) -> Target:
        if self.within_h is None:
            return self
        errors = []
        if self.measure != "service_level":
            errors.append(FieldError(("within_h",), self.within_h, f"{self.measure} has no acceptable wait"))
        if self.within_s != type(self).model_fields["within_s"].default:
            errors.append(FieldError(("within_s",), self.within_s, "must be left out beside within_h"))
        if self.window == "interval":
            errors.append(FieldError(("window",), self.window, "must be day or week for deferred work"))
        if self.floor is not None:
            errors.append(
                FieldError(
                    ("floor",), self.floor, "must be left out: deferred work is not judged by interval"
                )
            )
        if errors:
            raise FieldErrors(errors)
        return self

    @model_validator(mode="after")
    def _one_limit(self) -> Target:
        wanted = "at_least" if self.measure == "service_level" else "at_most"
        other = "at_most" if wanted == "at_least" else "at_least"
        if getattr(self, wanted) is None or getattr(self, other) is not None:
            raise FieldError(
                (wanted,), getattr(self, wanted), f"{self.measure} needs {wanted}, and not {other}"
            )
        if self.measure in ("abandonment", "occupancy") and (self.at_most or 0) > 1:
            raise FieldError(("at_most",), self.at_most, "must be a share from 0 to 1")
        least = {"occupancy": LEAST_OCCUPANCY, "load": 0.01}.get(self.measure, 0.0)
        if (self.at_most or 0.0) < least:
            raise FieldError(
                ("at_most",),
                self.at_most,
                f"must be at least {least:g}: no number of people keeps {self.measure} below",
            )
        if self.measure in ("occupancy", "load") and self.window == "interval":
            raise FieldError(("window",), self.window, f"{self.measure} is taken over a day or a week")
        return self


class Costs(_Part):
    """Money. One currency throughout."""

    currency: Annotated[str, Field(min_length=1, max_length=12)] = "EUR"
    """Shown beside amounts."""
    overtime_premium: Annotated[float, Field(ge=0, le=10)] = 0.5
    """Premium on an hour worked beyond the shift."""
    seat_per_year: Money = 0
    """Seat, licences and equipment of one person, a year."""
    automation_per_year: Money = 0
    """Fixed cost of the automated front, a year."""
    concession: Money = 0
    """Mean cost of a concession made under authority."""
    complaint: Money = 0
    """Cost of handling a complaint."""
    contact: Money = 0
    """Telephony and the like for one contact answered by a person."""
    recruiting: Money | None = None
    """Cost of recruiting one leaver's successor; default from the evidence table."""


# --- policies -----------------------------------------------------------------------------------------------------


class TargetLever(_Part):
    """A handle-time target with pressure."""

    seconds: LongSeconds | Annotated[dict[str, LongSeconds], Field(min_length=1)]
    """The target on talk, hold and ACW, seconds; one, or by type."""
    drop: Annotated[float, Field(ge=0, le=0.5)] | None = None
    """Drop in mean handle time that the pressure achieves; default from the evidence table."""
    types: tuple[str, ...] = ()
    """Types under the target; by default all (or those named in `seconds`)."""


class RecoveryLever(_Part):
    """Pauses after hard contacts, triggered by what can be seen."""

    minutes: Minutes | None = None
    """Length of a pause; default from the evidence table."""
    minutes_hardest: Minutes | None = None
    """Length where two or more triggers agree; default from the evidence table."""
    after_types: tuple[str, ...] = ()
    """After each contact of these types."""
    after_minutes: Minutes | None = None
    """After a contact longer than this."""
    after_flag: bool = False
    """After a contact that a detector flagged."""
    button: bool = False
    """When the agent presses their own button."""
    after_intensity: Annotated[float, Field(ge=0, le=1)] | None = None
    """After contacts of a true intensity above this: cannot be observed, so only for the policy `oracle`."""
    at_most_share: Annotated[float, Field(gt=0, le=1)] = 0.1
    """At most this share of a group pauses at once (always at least one)."""
    postpone_over: Annotated[int, Field(ge=0, le=1000)] = 5
    """Postponed while more than so many wait for the group."""
    budget_min: Minutes = 30
    """At most so many minutes a shift."""


class DecompressionLever(_Part):
    """A planned block of recovery in every shift of some groups."""

    minutes: Annotated[int, Field(ge=5, le=60, multiple_of=5)] = 15
    """Length of the block; paid."""
    groups: tuple[str, ...] = ()
    """Groups that have it; by default all."""


class SpecialistLever(_Part):
    """A group specially trained for complex or emotional contacts."""

    groups: Annotated[tuple[str, ...], Field(min_length=1)]
    """Groups of specialists."""
    types: tuple[str, ...] = ()
    """Types that prefer them."""
    flagged: bool = True
    """Contacts flagged by a detector prefer them too."""
    overflow_after_s: Seconds = 60
    """Others with the skill help after this wait."""
    training_per_person: Money = 0
    """One-off cost of training one specialist."""


class AssistLever(_Part):
    """An assistant that suggests what to say and where to look: newcomers gain, the best do not."""

    groups: tuple[str, ...] = ()
    """Groups that have it; by default all."""
    cost_once: Money | None = None
    """Of bringing it in, for one person; default from the evidence table."""
    cost_per_year: Money | None = None
    """For one person, a year; default from the evidence table."""


class TrainingLever(_Part):
    """Training, given every year; between trainings half of it is gone after so many months."""

    share: Annotated[float, Field(gt=0, le=1)] = 1
    """Share of people who are trained."""
    groups: tuple[str, ...] = ()
    """Groups that are trained; by default all."""
    half_life_months: Annotated[float, Field(ge=0.1, le=1_200)] | None = None
    """Months after which half of its effect is gone; default from the evidence table."""
    hours: Annotated[float, Field(ge=0, le=2_000)] | None = None
    """Paid hours it takes of one person, a year; default from the evidence table."""
    cost_per_person: Money | None = None
    """For one person, a year, beside their hours; default from the evidence table."""


class HiringLever(_Part):
    """Whoever leaves is replaced by somebody hired for emotional intelligence."""

    share: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share of people who have been hired so; by default those whom a year's attrition replaces."""
    groups: tuple[str, ...] = ()
    """Groups that hire so; by default all that are not outsourced."""
    cost_per_hire: Money | None = None
    """Of assessing one person hired; default from the evidence table."""


class SupportLever(_Part):
    """Time with team and leaders to talk hard contacts over."""

    hours: Annotated[float, Field(ge=0, le=2_000)] | None = None
    """Paid hours it takes of one person, a year; default from the evidence table."""
    cost_per_person: Money | None = None
    """For one person, a year, beside their hours; default from the evidence table."""


class ProactiveLever(_Part):
    """Customers are told before they call, so that some need not."""

    types: Annotated[tuple[str, ...], Field(min_length=1)]
    """Types whose needs can be seen coming."""
    reached: Share | None = None
    """Share of these needs that a message reaches in time; default from the evidence table."""
    helped: Annotated[float, Field(ge=-1, le=1)] | None = None
    """Of the needs reached, the share that does not call any more (below zero: messages bring calls); default from the
    evidence table."""
    messages_per_need: NotNegative | None = None
    """Messages sent for each need that is reached; default from the evidence table."""
    cost_per_message: Money | None = None
    """Cost of one message; default from the evidence table."""


class SelfServiceLever(_Part):
    """A larger share of contacts is offered to automation."""

    offered: Annotated[dict[str, Share], Field(min_length=1)]
    """Share of contacts offered to it, by type."""
    contained: Annotated[float, Field(ge=0, le=2)] | None = None
    """Containment of the sessions that come on top, over that of today's; default from the evidence table."""
    cost_once: Money | None = None
    """Of opening it to further contacts, for each type; default from the evidence table."""


class OutsourceLever(_Part):
    """A share of the work of groups goes to a partner's people."""

    share: Annotated[float, Field(gt=0, le=1)]
    """Share of the groups' people who are the partner's."""
    groups: tuple[str, ...] = ()
    """Groups of which a share goes; by default all that are not outsourced."""
    cost: Annotated[float, Field(ge=0, le=10)] | None = None
    """Cost of their hour over that of the hour it replaces; default from the evidence table."""
    empathy: Annotated[float, Field(ge=-1, le=1)] | None = None
    """Their empathy skill above that of the group; default from the evidence table."""
    spread: Annotated[float, Field(ge=0, le=10)] | None = None
    """Spread of handle time between them over that in the group; default from the evidence table."""
    cost_once: Money | None = None
    """Of moving one full-time job; default from the evidence table."""


class LeverCost(_Part):
    """What a lever costs beside what follows from what it does."""

    once: Money = 0
    """Once."""
    per_year: Money = 0
    """A year."""
    once_per_person: Money = 0
    """Once, for each full-time job."""
    per_person: Money = 0
    """A year, for each full-time job."""


class CallBackLever(_Part):
    """A call-back offered to those who wait, who keep their place in the queue."""

    after_s: Seconds = 120
    """Offered after waiting so long, seconds."""
    accept: Share | None = None
    """Share of those asked who accept; default from the evidence table."""
    unanswered: BelowOne | None = None
    """Share of call-backs that nobody picks up; default from the evidence table."""
    dial_s: Seconds | None = None
    """Time that an agent loses with one of those, seconds; default from the evidence table."""
    types: tuple[str, ...] = ()
    """Types that it is offered to, voice or chat; by default all voice types."""


class Policy(_Part):
    """A named set of levers. What is left out is as in `as_is`; there, what is left out is off."""

    title: Label = ""
    """Name for people."""
    story: Prose = ""
    """A sentence on what it is."""
    handle_time_target: Literal["none"] | TargetLever | None = None
    """A handle-time target, with the pressure that makes people keep it."""
    scripts: bool | None = None
    """Agents follow scripts, and checklists judge them."""
    pooled: bool | None = None
    """Everyone takes everything, whatever group they are in."""
    early_way_out: bool | None = None
    """Whoever asks the bot for a person is let out."""
    context: Share | None = None
    """Share of the bot's handovers that tell the agent what was said, for all types."""
    contained: dict[str, BelowOne] | None = None
    """A better bot: its containment by type, where the policy changes it."""
    detectors: tuple[str, ...] | None = None
    """Detectors that listen for cues and flag contacts, of those that the scenario names."""
    specialists: Literal["none"] | SpecialistLever | None = None
    """Groups trained for hard contacts, to whom these and flagged ones go first."""
    recovery: Literal["none"] | RecoveryLever | None = None
    """A pause after a hard contact, called for by what can be seen of it."""
    decompression: Literal["none"] | DecompressionLever | None = None
    """A planned block of recovery in every shift."""
    occupancy_ceiling: dict[str, Ceiling] | None = None
    """Enough people that no group is busier than a ceiling, by group; held by the planner."""
    authority: bool | None = None
    """Agents may make concessions without asking anybody."""
    agent_assist: Literal["none"] | AssistLever | None = None
    """An assistant that suggests to agents what to say and where to look: newcomers gain, the best do not."""
    empathy_training: Literal["none"] | TrainingLever | None = None
    """Training in empathy: noticing what a customer feels, naming it, and acting on it."""
    boundary_training: Literal["none"] | TrainingLever | None = None
    """Training in emotional boundaries: containing what a customer feels instead of absorbing it."""
    hiring: Literal["none"] | HiringLever | None = None
    """Leavers are replaced by people hired for emotional intelligence."""
    team_support: Literal["none"] | SupportLever | None = None
    """Time with team and leaders to talk hard contacts over."""
    proactive_contact: Literal["none"] | ProactiveLever | None = None
    """Customers are told before they call, so that some need not."""
    self_service: Literal["none"] | SelfServiceLever | None = None
    """A larger share of contacts is offered to automation, by type."""
    outsourcing: Literal["none"] | OutsourceLever | None = None
    """A share of the work goes to a partner's people, whose hour is cheaper."""
    same_agent: bool | None = None
    """Whoever comes back goes to the person who served them last, if that person is idle."""
    call_back: Literal["none"] | CallBackLever | None = None
    """Call-back offered instead of waiting."""
    chats: dict[str, Annotated[int, Field(ge=1, le=MOST_CHATS)]] | None = None
    """Chats at once by group, where the policy changes them."""
    reserved: dict[str, Share] | None = None
    """Share of people on duty that deferred work may claim first (whole people, rounded up), by group, where the policy
    changes it."""
    max_queue: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    """Contacts beyond so many waiting are turned away; 0 for no limit."""
    routing: Literal["longest_idle", "least_loaded"] | None = None
    """Which idle agent is next; least_loaded reads what cannot be observed, so only for the policy `oracle`."""
    cost_per_year: Money | None = None
    """Any other yearly cost of the policy (licences, coaching)."""
    cost_once: Money | None = None
    """Any other one-off cost."""
    costs: dict[str, LeverCost] = {}
    """What single levers cost beside what follows from what they do, by lever; counted only while the lever is on."""


LEVERS: tuple[str, ...] = tuple(
    name for name in Policy.model_fields if name not in ("title", "story", "costs")
)
_OFF: dict[str, Any] = {
    "early_way_out": True, "detectors": (), "contained": {}, "occupancy_ceiling": {}, "max_queue": 0,
    "chats": {}, "reserved": {},
    "routing": "longest_idle", "cost_per_year": 0.0, "cost_once": 0.0, "context": None,
}  # fmt: skip


def off_value(lever: str) -> Any:
    """The value of a lever that is off, said outright; None where only the scenario's own parts say it (`context`)."""
    if lever in _OFF:
        return _OFF[lever]
    kinds = get_args(Policy.model_fields[lever].annotation)
    return False if bool in kinds else "none"


PRICED = tuple(name for name in LEVERS if name not in ("cost_per_year", "cost_once"))
"""Levers that may have a cost of their own."""


class Detector(_Part):
    """An ear with a stated accuracy."""

    target: Literal["intensity", "vulnerable", "keyword"]
    """What it listens for."""
    above: Annotated[float, Field(ge=0, le=1)] | None = None
    """For intensity: above which value; default the one that defines an intense contact."""
    sensitivity: Share | None = None
    """Share of the true ones it flags; default from the evidence table."""
    specificity: Share | None = None
    """Share of the others it leaves alone; default from the evidence table."""
    types: tuple[str, ...] = ()
    """Types it listens to; by default all."""
    cost_per_contact: Money = 0
    """Variable cost of listening to one contact."""


class Event(_Part):
    """Something that happens in a window of the horizon."""

    kind: Literal["surge", "bot_outage", "absence_spike", "intensity_up"]
    """What happens."""
    title: Label = ""
    """Name for people."""
    from_day: Annotated[int, Field(ge=1, le=70)] = 1
    """First day, 1 is the first of the horizon."""
    to_day: Annotated[int, Field(ge=1, le=70)] | None = None
    """Last day; by default the first."""
    hours: Hours = (0, DAY_MIN)
    """Hours of each of these days (surge; for an outage from the first day's start to the last day's end)."""
    factor: Annotated[float, Field(ge=0, le=20)] = 1
    """Factor on needs (surge) or on absence."""
    add: Annotated[float, Field(ge=-4, le=4)] = 0
    """Added to the log-odds of intensity (intensity_up)."""
    types: tuple[str, ...] = ()
    """Types it touches (surge and intensity_up); by default all."""

    @model_validator(mode="after")
    def _says_nothing_idle(self) -> Event:
        reads = _EVENT_READS[self.kind]
        idle = [
            FieldError(
                (name,),
                getattr(self, name),
                f"changes nothing in {self.kind}, which reads {some(reads)}",
            )
            for name in ("hours", "factor", "add", "types")
            if name not in reads and getattr(self, name) != type(self).model_fields[name].default
        ]
        if idle:
            raise FieldErrors(idle)
        return self


_EVENT_READS = {
    "surge": ("hours", "factor", "types"), "bot_outage": ("hours",), "absence_spike": ("factor",),
    "intensity_up": ("add", "types"),
}  # fmt: skip
"""What each kind of event reads beside its days."""


class WhatIf(_Part):
    """Changes to the world, after today has been anchored: the same for every policy."""

    volume: Annotated[float, Field(ge=0, le=10)] = 1
    """Factor on natural needs."""
    contained: BelowOne | dict[str, BelowOne] | None = None
    """Containment, gross: one share for all bots that contain anybody, or by type."""
    handle: Annotated[float, Field(gt=0, le=5)] = 1
    """Factor on natural talk."""
    patience: Annotated[float, Field(gt=0, le=10)] = 1
    """Factor on patience."""
    absence: Annotated[float, Field(ge=0, le=10)] = 1
    """Factor on absence."""
    churn: Annotated[float, Field(ge=0, le=10)] = 1
    """Factor on excess churn."""
    value: Annotated[float, Field(ge=0, le=10)] = 1
    """Factor on customers' value."""
    headcount: Annotated[float, Field(ge=0, le=10)] = 1
    """Factor on the headcount of as_is."""


class DayFactor(_Part):
    """How days differ: rates times Gamma(shape, shape)."""

    shape: Annotated[float, Field(ge=0, le=1e6)] = 0
    """Shape; 0 for none."""
    memory: Annotated[float, Field(ge=0, lt=1)] = 0
    """Autocorrelation from day to day."""
    shared: bool = True
    """One factor for all types, or one each."""

    @model_validator(mode="after")
    def _days_alike(self) -> DayFactor:
        if 0 < self.shape < 0.1:
            raise FieldError(("shape",), self.shape, "must be 0 (every day alike) or at least 0.1")
        return self


@cache
def _sane(key: str) -> tuple[float, float]:
    """Limits of a coefficient that someone may have measured: ten times its range, or its unit's own."""
    row = evidence.table()[key]
    if row.unit.startswith("log-odds"):
        return -MOST_LOG_ODDS, MOST_LOG_ODDS
    if row.unit == "currency":
        return 0, 1e9
    if key == "emotional_ratio":
        return 1, 3
    most = 10 * max(abs(row.low), abs(row.high), abs(row.default))
    try:
        evidence.check(key, 0)
        least = row.low / 100 if key == "intensity_spread" else -most
    except evidence.ImpossibleValueError:
        least = row.low / 100
    return least, max(most, 1) if row.unit in ("share", "intensity", "weight", "correlation") else most


@lru_cache(maxsize=64)
def _coefficients(own: tuple[tuple[str, float], ...]) -> dict[str, float]:
    return dict(evidence.complete(dict(own)))


class Scenario(_Part):
    """A centre, its customers, what it wants, and the policies to compare."""

    KEYSTONES: ClassVar[frozenset[str]] = frozenset(
        {
            "horizon",
            "opening",
            "shifts",
            "skills",
            "on_duty",
            "behaviour",
            "early_way_out",
            "channel",
            "chats",
        }
    )
    """While one of these cannot be read, nothing is told of how the rest hangs together."""
    APART: ClassVar[frozenset[str]] = frozenset({"people"})
    """Lists whose entries do not hang on each other: what is wrong with one hides nothing of the others."""

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=60,
            pattern=r"^[a-z0-9][a-z0-9_-]*$",
            examples=["north-2", "head_office"],
        ),
    ]
    """Short name."""
    title: Label = ""
    """Name for people."""
    story: Prose = ""
    """The paragraph that tells it."""
    sources: Annotated[tuple[Prose, ...], Field(max_length=100)] = ()
    """Where the numbers come from."""
    horizon: Horizon = Horizon()
    """When."""
    opening: Opening = Opening()
    """Opening hours of the people."""
    day_factor: DayFactor = DayFactor()
    """How days differ."""
    segments: Annotated[dict[str, Segment], Field(min_length=1, max_length=40)] = {"everyone": Segment()}
    """Customers."""
    types: Annotated[dict[str, ContactType], Field(min_length=1, max_length=40)]
    """Contact types."""
    groups: Annotated[dict[str, Group], Field(min_length=1, max_length=40)]
    """Groups of people."""
    detectors: Annotated[dict[str, Detector], Field(max_length=8)] = {}
    """Detectors that policies may switch on."""
    shrinkage: Annotated[tuple[ShrinkageItem, ...], Field(max_length=100)] = ()
    """Shrinkage by item."""
    flat_shrinkage: BelowOne | None = None
    """What a spreadsheet would use instead (missing: the sum of the items; without any, 30 %): shown beside the plan,
    never planned with."""
    shifts: Annotated[dict[str, ShiftType], Field(max_length=200)] = {}
    """Shift catalogue."""
    days_per_week: Annotated[int, Field(ge=1, le=7)] = 5
    """Working days of one person."""
    rest_hours: Annotated[float, Field(ge=0, le=16)] = 11
    """Hours between two shifts of one person."""
    time_zone: Zone | None = None
    """Time zone of the centre (IANA, like Europe/Berlin), in which all times of the file are, but for the availability and
    leave of people who name their own. Without it no change of clocks is known."""
    contracts: Annotated[dict[str, Contract], Field(max_length=200)] = {}
    """Contracts of the people."""
    labour_rules: LabourRules = LabourRules()
    """Rules for named people."""
    people: Annotated[tuple[Person, ...], Field(max_length=MOST_PEOPLE, json_schema_extra=_or_a_file)] = ()
    """The people to be rostered by name: a list, or `{file: people.csv}` for a CSV file beside this one, or in a folder
    beside it, with a column for each field. Without it people are made from the groups' headcounts, as the command `people` lists them."""
    mix: Literal["today", "cheapest"] = "today"
    """Who does work that several groups can do: `today`, in the proportions of today's people, so that no policy gains
    by swapping dear people for cheap ones; `cheapest`, the least expensive, which is a plan for hiring."""
    targets: Annotated[tuple[Target, ...], Field(max_length=200)] = ()
    """Service targets and ceilings."""
    attrition: Annotated[float, Field(ge=0, le=3)] | None = None
    """Leavers a year per person employed, observed; default from the evidence table."""
    costs: Costs = Costs()
    """Costs."""
    behaviour: Annotated[dict[str, float], Field(max_length=200)] = {}
    """Your own values for coefficients of the evidence table."""
    policies: Annotated[dict[str, Policy], Field(max_length=40)] = {"as_is": Policy()}
    """Policies; `as_is` is today's."""
    events: Annotated[tuple[Event, ...], Field(max_length=200)] = ()
    """Events in the horizon."""
    what_if: WhatIf = WhatIf()
    """Changes to the world for all policies."""

    def coefficient(self, name: str) -> float:
        """A coefficient of the evidence table, or this scenario's own value for it."""
        return _coefficients(tuple(sorted(self.behaviour.items())))[name]

    def policy(self, name: str) -> Policy:
        """A policy with everything that it leaves out filled in from `as_is`."""
        base = self.policies["as_is"]
        if name == "as_is":
            return base
        chosen = self.policies[name]
        given = {key: value for key in Policy.model_fields if (value := getattr(chosen, key)) is not None}
        return base.model_copy(update=given | {"costs": {**base.costs, **chosen.costs}})

    def deferred_types(self) -> tuple[str, ...]:
        """Types that wait for hours, and not on the line."""
        return tuple(name for name, kind in self.types.items() if kind.deferred)

    def has_deferred(self) -> bool:
        """Whether anything waits over closed hours: a deferred type, or messages left out of hours."""
        return bool(self.deferred_types()) or self.opening.out_of_hours == "message"

    def scope(self, target: Target) -> tuple[str, ...]:
        """The types that a service target counts: its own, else all live ones, or with `within_h` all deferred ones."""
        if target.types:
            return target.types
        return tuple(n for n, kind in self.types.items() if kind.deferred == (target.within_h is not None))

    def chats(self, policy: str, group: str) -> int:
        """Chats at once of one person of a group under a policy."""
        changed = self.policy(policy).chats or {}
        return changed.get(group, self.groups[group].chats or 1)

    def most_chats(self, group: str) -> int:
        """The most chats at once that any policy allows a person of a group."""
        return max(self.chats(policy, group) for policy in self.policies)

    def skills(self, group: str) -> tuple[str, ...]:
        """The group's types in priority order, flat."""
        flat: list[str] = []
        for item in self.groups[group].skills:
            flat += [item] if isinstance(item, str) else list(item)
        return tuple(flat)

    @model_validator(mode="after")
    def _hangs_together(self) -> Scenario:
        errors = self._behaviour_errors()
        can_read, dayless = not errors, False
        types, groups, segments = list(self.types), list(self.groups), list(self.segments)
        served: set[str] = set()
        for name in groups:
            group = self.groups[name]
            flat = self.skills(name)
            for i, item in enumerate(group.skills):
                path: tuple[Any, ...] = ("groups", name, "skills")
                if isinstance(item, str):
                    if item not in types:
                        errors.append(_unknown(item, types, (*path, i), "a contact type"))
                else:
                    _known(item, types, (*path, i), "a contact type", errors)
            if len(set(flat)) < len(flat):
                again = next(skill for i, skill in enumerate(flat) if skill in flat[:i])
                errors.append(FieldError(("groups", name, "skills"), again, "must name each type once"))
            _keys(group.speed, types, ("groups", name, "speed"), "a contact type", errors)
            _known(group.shifts, self.shifts, ("groups", name, "shifts"), "a shift", errors)
            if group.on_duty is None and group.headcount and not self.shifts:
                errors.append(
                    FieldError(
                        ("groups", name, "headcount"),
                        group.headcount,
                        "needs a shift catalogue (shifts), or on_duty instead",
                    )
                )
            served |= set(flat)
            if can_read and "as_is" in self.policies:
                self._levels_fit(name, errors)
        for name, kind in self.types.items():
            path = ("types", name)
            if name not in served:
                errors.append(
                    FieldError((*path,), name, "is a skill that no group has; add it to a group's skills")
                )
            _keys(kind.segments, segments, (*path, "segments"), "a segment", errors)
            _keys(
                kind.automation.by_segment, segments, (*path, "automation", "by_segment"), "a segment", errors
            )
            routes = [step if isinstance(step, str) else step.group for step in kind.route]
            twice = [i for i, step in enumerate(routes) if step in routes[:i]]
            if twice:
                errors.append(
                    FieldError((*path, "route", twice[0]), routes[twice[0]], "must name each group once")
                )
            _known(routes, groups, (*path, "route"), "a group", errors)
            for i, step in enumerate(routes):
                if step in groups and name not in self.skills(step):
                    errors.append(
                        FieldError((*path, "route", i), step, f"must be a group with the skill {name}")
                    )
            for place, profile in [
                (("profile",), kind.profile),
                *((("profile_by_day", day), p) for day, p in kind.profile_by_day.items()),
            ]:
                off = [minute for minute in profile if minute % self.horizon.interval_min]
                if off:
                    errors.append(
                        FieldError(
                            (*path, *place),
                            f"{off[0] // 60:02d}:{off[0] % 60:02d}",
                            f"must have times on the {self.horizon.interval_min}-minute intervals",
                        )
                    )
                if (profile or len(place) > 1) and not any(profile.values()):
                    errors.append(
                        FieldError((*path, *place), None, "needs a rate above 0 at some time of day")
                    )
            if kind.weekdays and not any(kind.weekdays.values()):
                errors.append(FieldError((*path, "weekdays"), None, "needs a day above 0"))
                dayless = True
            if can_read:
                self._containment_leaves_room(name, kind, errors)
            self._somebody_can_do_it(name, kind, errors)
        for name, detector in self.detectors.items():
            _known(detector.types, types, ("detectors", name, "types"), "a contact type", errors)
        for i, target in enumerate(self.targets):
            _known(target.types, types, ("targets", i, "types"), "a contact type", errors)
            _known(target.groups, groups, ("targets", i, "groups"), "a group", errors)
            if target.measure not in ("occupancy", "load") and set(target.types) <= set(types):
                self._target_is_of_one_kind(i, target, errors)
        for i, event in enumerate(self.events):
            _known(event.types, types, ("events", i, "types"), "a contact type", errors)
            last = event.to_day or event.from_day
            if last > self.horizon.days or last < event.from_day:
                errors.append(
                    FieldError(
                        ("events", i, "from_day" if event.to_day is None else "to_day"),
                        last,
                        f"must lie inside the horizon of {self.horizon.days} days and not end before it starts",
                    )
                )
        if isinstance(self.what_if.contained, dict):
            _keys(self.what_if.contained, types, ("what_if", "contained"), "a contact type", errors)
        if "as_is" not in self.policies:
            errors.append(
                FieldError(
                    ("policies",), ", ".join(self.policies) or None, "needs a policy named as_is: today's"
                )
            )
        for name, group in self.groups.items():
            if group.reserved and not self.has_deferred():
                allowed = "is for deferred work (messaging, email), of which there is none"
                errors.append(FieldError(("groups", name, "reserved"), group.reserved, allowed))
        fixed = [name for name, group in self.groups.items() if group.on_duty is not None]
        if fixed and len(fixed) < len(groups):
            errors.append(
                FieldError(("groups", fixed[0], "on_duty"), None, "must be given for all groups or for none")
            )
        for name, policy in self.policies.items():
            self._policy_hangs_together(name, policy, errors)
        self._shrinkage_leaves_time(errors)
        self._people_can_come(errors)
        if sum(segment.share for segment in self.segments.values()) <= 0:
            errors.append(FieldError(("segments",), 0, "needs shares above 0"))
        if all(kind.offered_per_week == 0 for kind in self.types.values()):
            errors.append(FieldError(("types",), None, "needs a contact type with offered_per_week above 0"))
        elif not dayless and not self._has_contacts():
            first = self.horizon.start
            errors.append(FieldError(("horizon", "start"), first, "needs a day with contacts in the horizon"))
        self._shifts_fit_the_grid(errors)
        self._people_hang_together(errors)
        if errors:
            raise FieldErrors(errors)
        return self

    def rotated(self) -> frozenset[str]:
        """Contact types that people rotate away from; none without rotation."""
        rotation = self.labour_rules.rotation
        if rotation is None:
            return frozenset()
        return frozenset(rotation.emotional or (name for name, kind in self.types.items() if kind.emotional))

    def rotates(self, group: str) -> bool:
        """Whether a group serves types to rotate away from, and others."""
        return any(name in self.rotated() for name in self.skills(group)) and not (
            set(self.skills(group)) <= self.rotated()
        )

    def contract_kinds(self, group: str, contract: Contract | None) -> tuple[str, ...]:
        """Names of the shifts that somebody of a group may work under a contract."""
        mine = self.groups[group].shifts or tuple(self.shifts)
        wanted = contract.shifts if contract is not None and contract.shifts else mine
        return tuple(name for name in wanted if name in mine)

    def days_between(self, first: str, last: str) -> range:
        """Days of the horizon, from 0, of a stretch of leave or a request; beyond its ends for numbers of days too large."""
        if first.isdigit():
            return range(int(first) - 1, int(last))
        start = self.horizon.start
        ends = [(datetime.date.fromisoformat(day) - start).days for day in (first, last)]
        return range(max(ends[0], 0), min(ends[1] + 1, self.horizon.days))

    def week_hours(self, kinds: Iterable[str], least_days: int, most_days: int) -> list[float]:
        """Paid hours that somebody can work in a week with these shifts on so many days, rising."""
        by_day: list[set[int]] = [set() for _ in DAYS]
        for name in kinds:
            shift = self.shifts[name]
            for day in days_of(shift.days):
                by_day[day].add(shift.paid_minutes)
        reached: list[set[int]] = [{0}, *(set() for _ in range(most_days))]
        for paid in by_day:
            for n in range(most_days, 0, -1):
                reached[n] |= {total + minutes for total in reached[n - 1] for minutes in paid}
        return sorted({total / 60 for totals in reached[least_days:] for total in totals})

    def _people_hang_together(self, errors: list[FieldError]) -> None:
        """Contracts, labour rules and people name what there is, and each contract can be met with the shifts."""
        types, groups, shifts = list(self.types), list(self.groups), list(self.shifts)
        rules = ("labour_rules",)
        _known(self.labour_rules.newcomer_shifts, shifts, (*rules, "newcomer_shifts"), "a shift", errors)
        _keys(
            self.labour_rules.forbidden_successions,
            shifts,
            (*rules, "forbidden_successions"),
            "a shift",
            errors,
        )
        for name, after in self.labour_rules.forbidden_successions.items():
            _known(after, shifts, (*rules, "forbidden_successions", name), "a shift", errors)
        self._rotation_has_something(errors)
        met = {name: self._contract_can_be_met(name, errors) for name in self.contracts}
        if self.people and not shifts:
            errors.append(FieldError(("people",), None, "needs a shift catalogue (shifts)"))
        first: dict[str, int] = {}
        for i, person in enumerate(self.people):
            path: tuple[Any, ...] = ("people", i)
            before = first.setdefault(person.id.casefold(), i)
            if before != i:
                errors.append(
                    FieldError(
                        (*path, "id"), person.id, f"is the id of entry {before + 1} too: each id stands once"
                    )
                )
            if person.group not in self.groups:
                errors.append(_unknown(person.group, groups, (*path, "group"), "a group"))
            n = len(errors)
            _keys(person.skills or {}, types, (*path, "skills"), "a contact type", errors)
            if person.skills and person.group in self.groups and len(errors) == n:
                whole = self.skills(person.group)
                if not any(person.skills.get(name, 0) > 0 for name in whole):
                    allowed = f"must have a contact type of group {person.group} above 0, nothing else is routed there: {some(whole, 6)}"
                    errors.append(FieldError((*path, "skills"), None, allowed))
            if person.contract and person.contract not in self.contracts:
                errors.append(
                    _unknown(person.contract, list(self.contracts), (*path, "contract"), "a contract")
                )
            elif person.contract and person.group in self.groups and met[person.contract] and shifts:
                self._contract_fits_group(person, path, errors)
            self._days_exist(person, path, errors)
            self._times_exist(person, path, errors)

    def _rotation_has_something(self, errors: list[FieldError]) -> None:
        """Rotation names types that there are, and some group can do both them and others."""
        rotation, path = self.labour_rules.rotation, ("labour_rules", "rotation", "emotional")
        if rotation is None:
            return
        n = len(errors)
        _known(rotation.emotional, self.types, path, "a contact type", errors)
        if not self.rotated():
            allowed = "must name contact types to rotate away from, for none is marked emotional"
            errors.append(FieldError(path, None, allowed))
        elif len(errors) == n and not any(self.rotates(group) for group in self.groups):
            allowed = f"must leave some group both these and other types: no group serves {some(sorted(self.rotated()), 6)} and anything else"
            errors.append(FieldError(path, None, allowed))

    def _contract_can_be_met(self, name: str, errors: list[FieldError]) -> bool:
        contract, path, n = self.contracts[name], ("contracts", name), len(errors)
        _known(contract.shifts, self.shifts, (*path, "shifts"), "a shift", errors)
        most_days = contract.most_days or self.days_per_week
        if contract.least_days > most_days:
            errors.append(
                FieldError(
                    (*path, "least_days"), contract.least_days, f"must be at most days_per_week, {most_days}"
                )
            )
        if len(errors) == n and self.shifts:
            wrong = self._out_of_reach(contract, contract.shifts or tuple(self.shifts))
            if wrong:
                errors.append(FieldError((*path, "least_hours"), contract.least_hours, wrong))
        return len(errors) == n

    def _out_of_reach(self, contract: Contract, kinds: tuple[str, ...]) -> str | None:
        """Why a contract's hours cannot be worked in a week with these shifts."""
        most_days = contract.most_days or self.days_per_week
        hours = self.week_hours(kinds, contract.least_days, most_days)
        if any(contract.least_hours - 1e-6 <= each <= contract.most_hours + 1e-6 for each in hours):
            return None
        below = [f"{each:g}" for each in hours if each < contract.least_hours][-1:]
        above = [f"{each:g}" for each in hours if each > contract.most_hours][:1]
        near = " or ".join(below + above) or "no"
        return (
            f"cannot be met: {contract.least_hours:g} to {contract.most_hours:g} paid hours on {contract.least_days} to {most_days} "
            f"days a week, where the nearest that {some(kinds, 6)} can give is {near} hours"
        )

    def _contract_fits_group(self, person: Person, path: tuple[Any, ...], errors: list[FieldError]) -> None:
        contract = self.contracts[person.contract]
        kinds = self.contract_kinds(person.group, contract)
        if not kinds:
            allowed = (
                f"has none of the shifts of group {person.group}: {some(self.groups[person.group].shifts)}"
            )
            errors.append(FieldError((*path, "contract"), person.contract, allowed))
        elif wrong := self._out_of_reach(contract, kinds):
            errors.append(FieldError((*path, "contract"), person.contract, f"{wrong} (group {person.group})"))

    def _days_exist(self, person: Person, path: tuple[Any, ...], errors: list[FieldError]) -> None:
        most = f"must lie inside the horizon of {counted(self.horizon.days, 'day')}"
        for i, (first, last) in enumerate(person.leave):
            if last.isdigit() and int(last) > self.horizon.days:
                errors.append(
                    FieldError((*path, "leave", i), last if first == last else f"{first}..{last}", most)
                )
        for i, wish in enumerate(person.requests):
            if wish.day.isdigit() and int(wish.day) > self.horizon.days:
                errors.append(FieldError((*path, "requests", i, "day"), wish.day, most))
            name = wish.wants.removeprefix("not ").strip()
            if wish.wants not in ("off", "work") and name not in self.shifts:
                choices = ["off", "work", *self.shifts]
                errors.append(
                    _unknown(name, choices, (*path, "requests", i, "wants"), "off, work or a shift")
                )

    def _times_exist(self, person: Person, path: tuple[Any, ...], errors: list[FieldError]) -> None:
        """Hours of availability exist on every day of the horizon, once."""
        if person.time_zone and self.time_zone is None:
            allowed = "needs the time zone of the centre (time_zone) beside it, to compare the two"
            errors.append(FieldError((*path, "time_zone"), person.time_zone, allowed))
            return
        zone = person.time_zone or self.time_zone
        if zone is None or not person.availability:
            return
        for change in clocks.changes(zone, self.horizon.start, self.horizon.days):
            for key, spans in person.availability.items():
                for start, end in spans:
                    ends = [(start, 0), (end % DAY_MIN, end // DAY_MIN)]
                    wrong = [
                        (minute, fault)
                        for minute, later in ends
                        if (change.day.weekday() - later) % 7 in days_of(key)
                        and (fault := change.fault(minute))
                    ]
                    errors += [
                        FieldError(
                            (*path, "availability", key),
                            clocks.clock(minute),
                            f"has a time that {fault} in {zone}",
                        )
                        for minute, fault in wrong
                    ]

    def _containment_leaves_room(self, name: str, kind: ContactType, errors: list[FieldError]) -> None:
        """Sessions that ask for a person or hang up are not contained."""
        out_open = self.policies.get("as_is", Policy()).early_way_out is not False
        ways: list[tuple[tuple[str, ...], Automation]] = [((), kind.automation)]
        ways += [(("by_segment", s), kind.automation.of(s)) for s in kind.automation.by_segment]
        for way, bot in ways:
            asks = self.coefficient("asks_for_person") if bot.asks is None else bot.asks
            hangs = self.coefficient("hang_up") if bot.hangs_up is None else bot.hangs_up
            most = (1 - (asks if out_open else 0.0)) * (1 - hangs)
            if bot.offered and "contained" not in kind.natural and bot.contained >= most:
                errors.append(
                    FieldError(
                        ("types", name, "automation", *way, "contained"),
                        bot.contained,
                        f"must be less than {most:.2f}: the other sessions ask for a person or hang up",
                    )
                )

    def _levels_fit(self, name: str, errors: list[FieldError]) -> None:
        """Handle times by number of chats at once: a level for each number allowed, none beyond, and no nonsense."""
        group, most = self.groups[name], self.most_chats(name)
        levels, path = (
            dict(sorted(group.chat_handle_by_level.items())),
            ("groups", name, "chat_handle_by_level"),
        )
        pooled = any(self.policy(policy).pooled for policy in self.policies)
        chats = any(self.types[t].channel == "chat" for t in self.skills(name) if t in self.types)
        if (group.chats or 1) > 1 and not chats and not pooled:
            errors.append(
                FieldError(
                    ("groups", name, "chats"), group.chats, "is for groups with a skill whose channel is chat"
                )
            )
        varied = any(name in (policy.chats or {}) for policy in self.policies.values())
        # Where policies vary the number, what is known of more than they take now does no harm.
        beyond = [] if varied else [level for level in levels if level > most]
        if beyond:
            allowed = "has levels above the most chats at once" if most > 1 else "needs chats of 2 or more"
            errors.append(FieldError((*path, beyond[0]), levels[beyond[0]], f"{allowed} ({name}: {most})"))
            return
        absent = [level for level in range(2, most + 1) if levels and level not in levels]
        if absent:
            errors.append(
                FieldError(
                    path, None, f"needs a level for {absent[0]} too: up to {most} chats at once are allowed"
                )
            )
            return
        before = 1.0
        for level, factor in levels.items():
            top = before * level / (level - 1)
            if factor < before:
                errors.append(
                    FieldError(
                        (*path, level),
                        factor,
                        f"must be at least {before:g}: a further chat makes none of the others quicker",
                    )
                )
            elif factor > top + 1e-9:
                errors.append(
                    FieldError(
                        (*path, level),
                        factor,
                        f"must be at most {top:.4g}: beyond it {level} chats at once get less done than {level - 1}",
                    )
                )
            before = factor

    def _somebody_can_do_it(self, name: str, kind: ContactType, errors: list[FieldError]) -> None:
        """Somebody takes chats, and somebody has hours for what is deferred."""
        able = [group for g, group in self.groups.items() if name in self.skills(g)]
        if kind.channel == "chat" and able and not any(group.chats for group in able):
            errors.append(
                FieldError(
                    ("types", name, "channel"),
                    "chat",
                    f"needs a group with the skill {name} that says how many chats at once (chats)",
                )
            )
        if kind.deferred and able and not any(_has_hours(group) for group in able):
            errors.append(
                FieldError(
                    ("types", name, "channel"),
                    kind.channel,
                    f"is deferred work that has no hours: no group with the skill {name} has people today (headcount, or on_duty above 0)",
                )
            )

    def _target_is_of_one_kind(self, i: int, target: Target, errors: list[FieldError]) -> None:
        """Live types are judged by seconds, deferred ones by hours, and never together."""
        scope = self.scope(target)
        deferred = [name for name in scope if self.types[name].deferred]
        live = [name for name in scope if not self.types[name].deferred]
        path = ("targets", i)
        if deferred and live:
            allowed = f"must not mix live types ({some(live, 3)}) with deferred ones ({some(deferred, 3)}): give each a target"
            errors.append(FieldError((*path, "types"), None, allowed))
        elif deferred and target.measure != "service_level":
            allowed = f"must be service_level with within_h for deferred types ({some(deferred, 3)})"
            errors.append(FieldError((*path, "measure"), target.measure, allowed))
        elif deferred and target.within_h is None:
            allowed = f"must be within_h, in hours, for deferred types ({some(deferred, 3)})"
            errors.append(FieldError((*path, "within_s"), target.within_s, allowed))
        elif live and target.within_h is not None:
            allowed = f"is for deferred types, and {some(live, 3)} is live: use within_s"
            errors.append(FieldError((*path, "within_h"), target.within_h, allowed))
        elif not scope:
            field, found = ("within_h", target.within_h) if target.within_h else ("measure", target.measure)
            kinds = (
                "deferred (messaging, email)"
                if target.within_h
                else "live (voice, chat): deferred ones need within_h"
            )
            errors.append(FieldError((*path, field), found, f"has no type to judge: none is {kinds}"))

    def _behaviour_errors(self) -> list[FieldError]:
        """Own coefficients that do not exist, or cannot be."""
        errors: list[FieldError] = []
        known, rows = evidence.defaults(), evidence.table()
        shown = [key for key in self.behaviour if key in rows and key not in known]
        errors += [
            FieldError(("behaviour", key), self.behaviour[key], "is shown only: nothing computes with it")
            for key in shown
        ]
        others = {key: value for key, value in self.behaviour.items() if key not in shown}
        _keys(others, known, ("behaviour",), "a coefficient of the evidence table", errors, most=12)
        for key, value in self.behaviour.items():
            if key in known:
                try:
                    evidence.check(key, value)
                except evidence.ImpossibleValueError as error:
                    errors.append(FieldError(("behaviour", key), value, str(error).split(": ", 1)[-1]))
                    continue
                low, high = _sane(key)
                if not low <= value <= high:
                    unit = evidence.table()[key].unit
                    errors.append(
                        FieldError(
                            ("behaviour", key), value, f"must be between {low:g} and {high:g} ({unit})"
                        )
                    )
        if not errors:
            try:
                evidence.complete(self.behaviour)
            except evidence.ImpossibleValueError as error:
                first = str(error).split()[0]
                errors.append(FieldError(("behaviour", first), None, str(error).removeprefix(f"{first} = ")))
        return errors

    def _has_contacts(self) -> bool:
        """Whether anybody is offered on any day of the horizon."""
        weekdays = {(self.horizon.start.weekday() + day) % 7 for day in range(self.horizon.days)}
        opened = {day for day, hours in enumerate(self.opening.by_weekday()) if hours}
        for kind in self.types.values():
            weights: dict[int, float] = dict.fromkeys(opened, 1.0)
            if kind.weekdays:
                weights = {day: weight for key, weight in kind.weekdays.items() for day in days_of(key)}
            if kind.offered_per_week and any(weights.get(day, 0) > 0 for day in weekdays):
                return True
        return False

    def _shrinkage_leaves_time(self, errors: list[FieldError]) -> None:
        for kinds, most in ((("leave",), 0.8), (OFF_PHONE, 0.5), (("absence", "lateness", "adherence"), 0.8)):
            total = sum(item.share for item in self.shrinkage if item.kind in kinds)
            if total > most:
                where = next(i for i, item in enumerate(self.shrinkage) if item.kind in kinds)
                errors.append(
                    FieldError(
                        ("shrinkage", where, "share"), None, f"adds up to {total:g} for {', '.join(kinds)}; at most {most:g} is possible"
                    )
                )  # fmt: skip

    def _people_can_come(self, errors: list[FieldError]) -> None:
        """Opening hours on intervals, numbers of people that a machine can hold, and shifts that overlap opening hours."""
        step = self.horizon.interval_min
        for key, hours in self.opening.hours.items():
            off = [minute for minute in hours or () if minute % step]
            if off:
                found = f"{off[0] // 60:02d}:{off[0] % 60:02d}"
                errors.append(
                    FieldError(("opening", "hours", key), found, f"must lie on the {step}-minute intervals")
                )
        total = sum(group.headcount for group in self.groups.values())
        if total > MOST_PEOPLE:
            largest = max(self.groups, key=lambda name: self.groups[name].headcount)
            errors.append(
                FieldError(("groups", largest, "headcount"), self.groups[largest].headcount, f"must leave at most {MOST_PEOPLE:,} people in all groups together")
            )  # fmt: skip
        week = self.opening.by_weekday()
        for name, group in self.groups.items():
            for numbers in _profiles(group.on_duty):
                most = max(numbers.values(), default=0)
                if most > MOST_PEOPLE:
                    errors.append(
                        FieldError(("groups", name, "on_duty"), most, f"must be at most {MOST_PEOPLE:,} people at a time")
                    )  # fmt: skip
                off = [minute for minute in numbers if minute % step]
                if off:
                    found = f"{off[0] // 60:02d}:{off[0] % 60:02d}"
                    errors.append(
                        FieldError(("groups", name, "on_duty"), found, f"must have times on the {step}-minute intervals")
                    )  # fmt: skip
            mine = [self.shifts[s] for s in (group.shifts or self.shifts) if s in self.shifts]
            if group.on_duty is not None or not group.headcount or not mine:
                continue
            if any(self.types[t].deferred for t in self.skills(name) if t in self.types):
                continue  # deferred work is done whenever people are there
            if not any(_overlap(shift, week) for shift in mine):
                errors.append(
                    FieldError(("groups", name, "shifts" if group.shifts else "headcount"), None, "has no shift that overlaps the opening hours")
                )  # fmt: skip
        for name, kind in self.types.items():
            for path, values in (
                (("handle", "talk_s"), kind.handle.talk_s),
                (("patience", "mean_s"), kind.patience.mean_s),
            ):
                if not isinstance(values, dict):
                    continue
                off = [minute for minute in values if minute % step]
                most = 86_400 if path[0] == "handle" else 1e9
                if not values or min(values.values()) <= 0:
                    errors.append(
                        FieldError(("types", name, *path), None, "needs values above 0 by time of day")
                    )
                elif not 1 <= min(values.values()) <= max(values.values()) <= most:
                    errors.append(
                        FieldError(
                            ("types", name, *path), None, f"needs values from 1 to {most:,.0f} seconds"
                        )
                    )
                elif off:
                    found = f"{off[0] // 60:02d}:{off[0] % 60:02d}"
                    errors.append(
                        FieldError(("types", name, *path), found, f"must have times on the {step}-minute intervals")
                    )  # fmt: skip

    def _shifts_fit_the_grid(self, errors: list[FieldError]) -> None:
        if self.shifts and self.horizon.interval_min < 15:
            errors.append(
                FieldError(
                    ("horizon", "interval_min"),
                    self.horizon.interval_min,
                    "must be 15, 30 or 60 where there are shifts, which are planned in quarter-hours",
                )
            )
        for name, shift in self.shifts.items():
            if round(shift.hours * 60) % 15:
                errors.append(
                    FieldError(("shifts", name, "hours"), shift.hours, "must be whole quarter-hours")
                )
            first, last = shift.starts
            if first % 15:
                errors.append(
                    FieldError(
                        ("shifts", name, "starts"),
                        f"{first // 60:02d}:{first % 60:02d}-{last // 60:02d}:{last % 60:02d}",
                        "must begin on a quarter of an hour",
                    )
                )
            free = 0
            for i, pause in enumerate(shift.breaks):
                place = ("shifts", name, "breaks", i)
                if pause.minutes % 15:
                    errors.append(
                        FieldError((*place, "minutes"), pause.minutes, "must be whole quarter-hours")
                    )
                    break
                first = -(-max(pause.earliest, free) // 15) * 15
                if first > pause.latest:
                    after = " after the breaks before it" if free > pause.earliest else ""
                    allowed = f"must be at least {first}, the first quarter-hour at which it can start{after}"
                    errors.append(FieldError((*place, "latest"), pause.latest, allowed))
                    break
                free = first + pause.minutes

    def _channel_levers_fit(self, policy: Policy, path: tuple[Any, ...], errors: list[FieldError]) -> None:
        """Call-backs are offered to those who wait on the line; work is reserved for whoever has such work."""
        offer = policy.call_back
        if isinstance(offer, CallBackLever):
            _known(offer.types, self.types, (*path, "call_back", "types"), "a contact type", errors)
            errors += [
                FieldError(
                    (*path, "call_back", "types", i),
                    name,
                    f"must be voice or chat: {self.types[name].channel} does not wait on the line",
                )
                for i, name in enumerate(offer.types)
                if name in self.types and self.types[name].deferred
            ]
            if not offer.types and not any(kind.channel == "voice" for kind in self.types.values()):
                errors.append(
                    FieldError((*path, "call_back", "types"), None, "must name types: none is voice")
                )
        _keys(policy.chats or {}, self.groups, (*path, "chats"), "a group", errors)
        _keys(policy.reserved or {}, self.groups, (*path, "reserved"), "a group", errors)
        if not self.has_deferred():
            errors += [
                FieldError(
                    (*path, "reserved", name),
                    share,
                    "is for deferred work (messaging, email), of which there is none",
                )
                for name, share in (policy.reserved or {}).items()
                if share > 0
            ]

    def _policy_hangs_together(self, name: str, policy: Policy, errors: list[FieldError]) -> None:
        types, groups = list(self.types), list(self.groups)
        path = ("policies", name)
        target, rest = policy.handle_time_target, policy.recovery
        if isinstance(target, TargetLever):
            _known(target.types, types, (*path, "handle_time_target", "types"), "a contact type", errors)
            if isinstance(target.seconds, dict):
                _keys(
                    target.seconds, types, (*path, "handle_time_target", "seconds"), "a contact type", errors
                )
        if isinstance(rest, RecoveryLever):
            _known(rest.after_types, types, (*path, "recovery", "after_types"), "a contact type", errors)
            if rest.after_intensity is not None and name != "oracle":
                errors.append(
                    FieldError(
                        (*path, "recovery", "after_intensity"),
                        rest.after_intensity,
                        "reads what cannot be observed; only a policy named oracle may",
                    )
                )
            if not (
                rest.after_types
                or rest.after_minutes
                or rest.after_flag
                or rest.button
                or rest.after_intensity is not None
            ):
                errors.append(
                    FieldError(
                        (*path, "recovery"),
                        None,
                        "needs a trigger: after_types, after_minutes, after_flag or button",
                    )
                )
        if policy.routing == "least_loaded" and name != "oracle":
            errors.append(
                FieldError(
                    (*path, "routing"),
                    "least_loaded",
                    "reads what cannot be observed; only a policy named oracle may",
                    "longest_idle",
                )
            )
        if isinstance(policy.specialists, SpecialistLever):
            _known(policy.specialists.groups, groups, (*path, "specialists", "groups"), "a group", errors)
            _known(policy.specialists.types, types, (*path, "specialists", "types"), "a contact type", errors)
        if isinstance(policy.decompression, DecompressionLever):
            _known(policy.decompression.groups, groups, (*path, "decompression", "groups"), "a group", errors)
            if policy.decompression.minutes % 15:
                errors.append(
                    FieldError(
                        (*path, "decompression", "minutes"),
                        policy.decompression.minutes,
                        "must be whole quarter-hours",
                    )
                )
        self._programmes_fit(path, policy, errors)
        _keys(policy.costs, PRICED, (*path, "costs"), "a lever", errors)
        self._channel_levers_fit(policy, path, errors)
        _known(policy.detectors or (), self.detectors, (*path, "detectors"), "a detector", errors)
        _keys(policy.contained or {}, types, (*path, "contained"), "a contact type", errors)
        _keys(policy.occupancy_ceiling or {}, groups, (*path, "occupancy_ceiling"), "a group", errors)

    def _programmes_fit(self, path: tuple[str, ...], policy: Policy, errors: list[FieldError]) -> None:
        """Levers that name groups or types name those there are, and such as they can work on."""
        types, groups = list(self.types), list(self.groups)
        own = [name for name in groups if not self.groups[name].outsourced]
        levers: list[tuple[str, tuple[str, ...], list[str], str]] = [
            (name, lever.groups, groups, "a group")
            for name in ("agent_assist", "empathy_training", "boundary_training")
            if isinstance(lever := getattr(policy, name), (AssistLever, TrainingLever))
        ]
        levers += [
            (name, lever.groups, own, "a group that is not outsourced")
            for name in ("hiring", "outsourcing")
            if isinstance(lever := getattr(policy, name), (HiringLever, OutsourceLever))
        ]
        for name, chosen, allowed, what in levers:
            _known(chosen, allowed, (*path, name, "groups"), what, errors)
        if isinstance(policy.outsourcing, OutsourceLever) and not own:
            errors.append(FieldError((*path, "outsourcing"), None, "needs a group that is not outsourced"))
        if isinstance(policy.proactive_contact, ProactiveLever):
            chosen = policy.proactive_contact.types
            _known(chosen, types, (*path, "proactive_contact", "types"), "a contact type", errors)
        if isinstance(policy.self_service, SelfServiceLever):
            offered = policy.self_service.offered
            bots = [name for name, kind in self.types.items() if kind.automation.contains]
            _keys(
                offered,
                bots,
                (*path, "self_service", "offered"),
                "a contact type whose automation contains any",
                errors,
            )
            for name, share in offered.items():
                today = self.types[name].automation.offered if name in bots else 0.0
                if share < today:
                    errors.append(
                        FieldError(
                            (*path, "self_service", "offered", name),
                            share,
                            f"must be at least {today:g}, as today",
                        )
                    )


def _has_hours(group: Group) -> bool:
    """Whether anybody of the group comes to work today."""
    if group.on_duty is None:
        return group.headcount > 0
    return any(value > 0 for numbers in _profiles(group.on_duty) for value in numbers.values())


def _profiles(on_duty: Any) -> list[dict[int, float]]:
    """The profiles by time of day of a group on duty."""
    if on_duty is None:
        return []
    return list(on_duty.values()) if all(isinstance(key, str) for key in on_duty) else [on_duty]


def _overlap(shift: ShiftType, week: list[tuple[int, int] | None]) -> bool:
    """Whether some start of the shift leads into opening hours."""
    first, last = shift.starts[0], shift.starts[1] + round(shift.hours * 60)
    for day in days_of(shift.days):
        for later in (0, 1):
            hours = week[(day + later) % 7]
            if hours and first < hours[1] + later * DAY_MIN and last > hours[0] + later * DAY_MIN:
                return True
    return False


def _keys(
    mapping: Mapping[str, Any], allowed: Iterable[str], path: tuple[Any, ...], what: str, errors: list[FieldError],
    most: int = 40,
) -> None:  # fmt: skip
    choices = list(allowed)
    errors += [_unknown(key, choices, (*path, key), what, most) for key in mapping if key not in choices]
