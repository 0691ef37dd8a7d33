"""A schedule in words: "every weekday at 06:30", "every 2 hours from 7 to 19", and back."""

import re
from collections.abc import Sequence
from itertools import pairwise

from cronsim import CronSim

from sync_core.organizations import timetable
from sync_core.organizations.timetable import bad

MINUTES, HOURS = 60, 24  # of an hour, of a day
DAY = MINUTES * HOURS
WEEK = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
EVERY_DAY, WEEKDAYS, WEEKEND = frozenset(range(7)), frozenset(range(1, 6)), frozenset({0, 6})
MOST_TIMES = 6  # that words list one by one
EXAMPLES = ("every weekday at 06:30", "every 2 hours from 7 to 19", "30 6 * * 1-5")
NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

_TIME = r"(?:\d{1,2}(?:[:.]\d{2})?(?: ?[ap]\.?m\.?)?|noon|midnight)(?: o'?clock)?"
_TIMES = rf"{_TIME}(?:(?:, and |, | and ){_TIME})*"
_WINDOW = rf"(?:(?: between| from)? (?P<start>{_TIME}) (?:to|until|till|and|-) (?P<end>{_TIME}))?"
_INTERVAL = re.compile(
    rf"(?:every (?:(?P<number>\d+) )?(?P<unit>minute|hour)s?|(?P<hourly>hourly))"
    rf"(?:(?: at)? :(?P<past>\d{{2}}))?{_WINDOW}(?:,? (?:on |every )?(?P<days>[a-z, ]+))?"
)
_AT = re.compile(rf"(?:every |each |on )?(?P<days>[a-z, -]+?),? at (?P<times>{_TIMES})")
_AT_FIRST = re.compile(rf"(?:at )?(?P<times>{_TIMES}) (?:every |each |on )(?P<days>[a-z, -]+)")
_MONTHLY = re.compile(
    r"(?:every month on |monthly on |on )?(?:the )?(?:day )?(?P<day>\d{1,2})(?:st|nd|rd|th)?"
    rf"(?: day)?(?: of (?:every|each|the) month)? at (?P<times>{_TIMES})"
)


def parse(text: str) -> str:
    """Return the cron expression of a schedule in words, or of one itself.

    Raises SyncError("bad_schedule").
    """
    said = " ".join(text.lower().split()).removesuffix(".")
    if len(said) > timetable.LONGEST:
        raise bad(text, f"it is longer than {timetable.LONGEST} characters")
    if said in NICKNAMES:
        return NICKNAMES[said]
    if re.match(r"[\d*][\d*/,-]* [\d*l]", said) and "at" not in said.split():
        return timetable.checked(said)
    for form, read in _FORMS:
        if found := form.fullmatch(said):
            return timetable.checked(read(text, found))
    said_days = re.fullmatch(r"(?:every |each |on )?([a-z, -]+)", said)
    if said_days and _days(text, said_days[1]):
        raise bad(text, "it names no time")
    raise bad(text, "it is not understood")


def _interval(text: str, found: re.Match[str]) -> str:
    step = int(found["number"] or 1) * (MINUTES if found["unit"] != "minute" else 1)
    past = int(found["past"] or 0)
    if not step or past >= MINUTES or (past and step % MINUTES):
        raise bad(text, "there is no such interval")
    weekdays = _field(_days(text, found["days"] or "day"), EVERY_DAY)
    if found["start"] is None:
        if DAY % step or (step % MINUTES and MINUTES % step):
            raise bad(text, "an hour or a day cannot be divided evenly by this; name the times")
        return f"{_round_the_clock(step, past)} * * {weekdays}"
    times = _within(_time(text, found["start"]), _time(text, found["end"]), step)
    return f"{_product(text, times)} * * {weekdays}"


def _round_the_clock(step: int, past: int) -> str:
    if step < MINUTES:
        return f"{'*' if step == 1 else f'*/{step}'} *"
    hours = step // MINUTES
    return f"{past} {'*' if hours == 1 else f'*/{hours}' if hours < HOURS else 0}"


def _within(start: int, end: int, step: int) -> list[int]:
    """Return the minutes of the day from start to end; past midnight where the end is earlier.

    Where there are several an hour, those of the last hour are whole, or it has none.
    """
    end += DAY if end < start else 0
    found = list(range(start, end + 1, step))
    if step < MINUTES and len(found) > 1 and found[-1] % MINUTES == start % MINUTES:
        found.pop()
    return [time % DAY for time in found]


def _fixed(text: str, found: re.Match[str]) -> str:
    weekdays = _field(_days(text, found["days"]), EVERY_DAY)
    return f"{_product(text, _times(text, found['times']))} * * {weekdays}"


def _monthly(text: str, found: re.Match[str]) -> str:
    return f"{_product(text, _times(text, found['times']))} {int(found['day'])} * *"


_FORMS = ((_INTERVAL, _interval), (_AT, _fixed), (_AT_FIRST, _fixed), (_MONTHLY, _monthly))


def _times(text: str, said: str) -> list[int]:
    return [_time(text, one) for one in re.findall(_TIME, said)]


def _time(text: str, said: str) -> int:
    """Return the minute of the day."""
    word = re.sub(r" o'?clock$", "", said)
    if word in {"noon", "midnight"}:
        return DAY // 2 if word == "noon" else 0
    digits = re.match(r"(\d+)(?:[:.](\d+))?", word)
    hour, minute = (int(part or 0) for part in digits.groups()) if digits else (HOURS, 0)
    half = re.search(r"[ap]\.?m", word)
    if half and 1 <= hour <= HOURS // 2:
        hour = hour % (HOURS // 2) + (HOURS // 2 if half[0][0] == "p" else 0)
    elif half:
        hour = HOURS
    if hour >= HOURS or minute >= MINUTES:
        raise bad(text, f"there is no time {said}")
    return hour * MINUTES + minute


def _days(text: str, said: str) -> frozenset[int]:
    """Return the days of the week, from 0 for Sunday."""
    found: set[int] = set()
    for one in re.split(r", and |, | and |,", said.strip()):
        first, _, last = re.sub(r" ?- ?", " to ", one.strip()).partition(" to ")
        if last:
            start, end = min(_some_days(text, first)), min(_some_days(text, last))
            found |= {(start + day) % 7 for day in range((end - start) % 7 + 1)}
        else:
            found |= _some_days(text, first)
    return frozenset(found)


def _some_days(text: str, word: str) -> frozenset[int]:
    one = word.strip().removeprefix("on ").removesuffix(" day").removesuffix("s")
    known = {"day": EVERY_DAY, "daily": EVERY_DAY, "weekday": WEEKDAYS, "working": WEEKDAYS}
    known |= {"workday": WEEKDAYS, "weekend": WEEKEND, "weekend day": WEEKEND}
    if one in known:
        return known[one]
    for number, name in enumerate(WEEK):
        if one in {name.lower(), name[:3].lower()}:
            return frozenset({number})
    raise bad(text, f"'{word.strip()}' is no day")


def _product(text: str, times: Sequence[int]) -> str:
    """Return minutes and hours as cron has them: each of these minutes in each of these hours."""
    minutes = frozenset(time % MINUTES for time in times)
    hours = frozenset(time // MINUTES for time in times)
    if len(set(times)) != len(minutes) * len(hours):
        raise bad(text, "its times are not at the same minutes of each hour")
    return f"{_field(minutes, frozenset(range(MINUTES)))} {_field(hours, frozenset(range(HOURS)))}"


def _field(values: frozenset[int], every: frozenset[int]) -> str:
    """Return a field of a cron expression."""
    if values == every:
        return "*"
    kept = sorted(values)
    steps = {later - earlier for earlier, later in pairwise(kept)}
    if len(kept) < 3 or len(steps) > 1:  # noqa: PLR2004 - a range of two is no shorter
        return ",".join(map(str, kept))
    (step,) = steps
    if kept[0] == 0 and len(kept) * step == len(every):
        return f"*/{step}"
    return f"{kept[0]}-{kept[-1]}" + (f"/{step}" if step > 1 else "")


def words(cron: str) -> str:
    """Return the schedule in words, to stand within a sentence: "every weekday at 06:30"."""
    sim = CronSim(cron, timetable.EPOCH)
    _, _, day, month, _ = cron.split()
    if not all(isinstance(one, int) for one in sim.weekdays) or month != "*":
        return _explained(sim)
    weekdays = frozenset(int(one) % 7 for one in sim.weekdays if isinstance(one, int))
    if day == "*":
        return _daily(sorted(sim.minutes), sorted(sim.hours), weekdays) or _explained(sim)
    if re.fullmatch(r"\d+", day) and weekdays == EVERY_DAY:
        times = _listed(sorted(sim.minutes), sorted(sim.hours))
        return f"on day {day} of every month at {times}" if times else _explained(sim)
    return _explained(sim)


def _explained(sim: CronSim) -> str:
    told = sim.explain()
    return told[:1].lower() + told[1:]


def _daily(minutes: Sequence[int], hours: Sequence[int], weekdays: frozenset[int]) -> str:
    """Return the words for these times on these days; "" where there are too many for them."""
    if often := _often(minutes, hours):
        return often if weekdays == EVERY_DAY else f"{often} on {_on(weekdays)}"
    times = _listed(minutes, hours)
    return f"every {_each(weekdays)} at {times}" if times else ""


def _often(minutes: Sequence[int], hours: Sequence[int]) -> str:
    per_hour, hour_step = _even(minutes, MINUTES), _step(hours)
    if len(minutes) > 1:
        return _every(per_hour, "minute", minutes, hours) if per_hour and hour_step == 1 else ""
    if len(hours) == HOURS and minutes[0]:
        return f"every hour at :{minutes[0]:02d}"
    if len(hours) < 3 or not hour_step:  # noqa: PLR2004 - two are named
        return ""
    return _every(hour_step, "hour", minutes, hours)


def _every(step: int, unit: str, minutes: Sequence[int], hours: Sequence[int]) -> str:
    each = f"every {unit}" if step == 1 else f"every {step} {unit}s"
    is_round = len(hours) * (step if unit == "hour" else 1) == HOURS
    if is_round and hours[0] == 0 and minutes[0] == 0:
        return each
    last = hours[-1] * MINUTES + minutes[-1]
    return f"{each} from {_clock(hours[0] * MINUTES + minutes[0])} to {_clock(last)}"


def _step(values: Sequence[int]) -> int:
    """Return the step from each to the next, 1 for a single one; 0 where it is not the same."""
    steps = {later - earlier for earlier, later in pairwise(values)}
    return steps.pop() if len(steps) == 1 else int(not steps)


def _even(values: Sequence[int], whole: int) -> int:
    """Return the step of what parts the whole evenly from its start; 0 where it does not."""
    step = _step(values)
    return step if values[0] == 0 and len(values) * step == whole else 0


def _listed(minutes: Sequence[int], hours: Sequence[int]) -> str:
    times = [_clock(hour * MINUTES + minute) for hour in hours for minute in minutes]
    return _and(times) if len(times) <= MOST_TIMES else ""


def _clock(time: int) -> str:
    return f"{time // MINUTES:02d}:{time % MINUTES:02d}"


def _and(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def _names(weekdays: frozenset[int]) -> list[str]:
    return [WEEK[day % 7] for day in range(1, 8) if day % 7 in weekdays]


def _each(weekdays: frozenset[int]) -> str:
    known = {EVERY_DAY: "day", WEEKDAYS: "weekday", WEEKEND: "weekend day"}
    return known.get(weekdays) or _and(_names(weekdays))


def _on(weekdays: frozenset[int]) -> str:
    known = {WEEKDAYS: "weekdays", WEEKEND: "weekends"}
    return known.get(weekdays) or _and([f"{name}s" for name in _names(weekdays)])
