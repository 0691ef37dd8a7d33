"""What a record was at every time: worked out from what it is and from what runs did to it.

Only runs write down what they change. An edit past the program shows where a run finds something
else than the one before it left, or where what seems to be left does not hash to what the run wrote
down. When it happened, between the two, nobody knows: for that time the column is not known.

Steps are numbered from 0, the newest; the time after a step has the step's number, the time before
the oldest one `len(steps)`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync_core.foundation.vocabulary import OutcomeKind

REMOVED_AT = "_removed_at"  # the column of ours that an update may change
NOW = -1  # stands for the present where the number of a step is asked for

Values = Mapping[str, Any]  # column -> value; a column that is not there is not known
Hash = Callable[[Sequence[Values]], Sequence[int | None]]  # None where not every column is known


@dataclass(frozen=True)
class Step:
    """What a run did to the record."""

    kind: OutcomeKind
    changes: Mapping[str, Any] | None = None  # as the outcome keeps them; None: none, or dropped
    row_hash: int | None = None  # of all values after it

    @property
    def is_dropped(self) -> bool:
        """Whether what it changed was dropped since."""
        return self.changes is None and self.kind != OutcomeKind.CREATED

    @property
    def brings_back(self) -> bool:
        """Whether the record had been removed, and came back."""
        return self._is_moved and self._removed_at is None

    @property
    def takes_away(self) -> bool:
        """Whether the record had come back, and an undo removed it again."""
        return self._is_moved and self._removed_at is not None

    @property
    def _is_moved(self) -> bool:
        return self.kind == OutcomeKind.UPDATED and REMOVED_AT in (self.changes or {})

    @property
    def _removed_at(self) -> str | None:
        removed_at: str | None = (self.changes or {})[REMOVED_AT][1]
        return removed_at

    @property
    def found(self) -> Values:
        """What the run found, as far as it wrote it down."""
        if self.kind == OutcomeKind.REMOVED:
            return self.changes or {}
        return {column: before for column, (before, _) in self._pairs}

    @property
    def left(self) -> Values:
        """What the run left, as far as it wrote it down; of a removed record, its last values."""
        if self.kind == OutcomeKind.REMOVED:
            return self.changes or {}
        return {column: after for column, (_, after) in self._pairs}

    @property
    def _pairs(self) -> list[tuple[str, Any]]:
        return [(c, pair) for c, pair in (self.changes or {}).items() if c != REMOVED_AT]


@dataclass(frozen=True)
class State:
    """What is known of a record at a moment."""

    is_there: bool | None  # None: not known
    values: Values = field(default_factory=dict)


NOWHERE = State(is_there=False)


@dataclass(frozen=True)
class Outside:
    """Something was changed past the program, after the step `since` and before the step `until`.

    `values` names each column with what it was and became. Where it is empty, and the record
    neither came nor went, nobody knows which columns it were.
    """

    since: int  # `len(steps)`: before the oldest one
    until: int  # NOW: up to the present
    values: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    came: bool | None = None  # whether the record came, or went; None: neither


@dataclass(frozen=True)
class Replay:
    """All that is known of a record."""

    present: State
    left: Sequence[State]  # by each step
    found: Sequence[State]  # when the time after each step ended: by the next one, or now
    before: State  # what the oldest step found
    outside: Sequence[Outside]  # the newest first

    def during(self, time: int) -> State:
        """Return what holds for the whole time after a step: it was left, and it was found."""
        if time == len(self.left):
            return self.before if self.before.is_there is False else State(None)
        left, found = self.left[time], self.found[time]
        same = {c: v for c, v in left.values.items() if c in found.values and found.values[c] == v}
        agreed = found.is_there in {None, left.is_there}
        return State(left.is_there if agreed else None, same)


def replay(present: State, steps: Sequence[Step], hash_of: Hash) -> Replay:
    """Work out all that is known of a record; `steps` come newest first."""
    seeming = _backwards(present, steps)
    proofs = _proofs(steps, seeming, hash_of)
    left = _left(steps, seeming, proofs)
    found = [present, *map(_found, steps, left)]
    before = found.pop()
    outside = [*_moves(left, found, before), *_edits(steps, left, found)]
    outside += _unexplained(proofs, outside)
    outside.sort(key=lambda one: (one.until, one.since))
    return Replay(present, left, found, before, outside)


def _backwards(present: State, steps: Sequence[Step]) -> list[State]:
    """Return what each step seems to have left: what it wrote, and what was found later."""
    states, later = list[State](), present
    for step in steps:
        is_there = step.kind != OutcomeKind.REMOVED and not step.takes_away
        kept = is_there or bool(later.values)  # a removed record's row may be gone
        states.append(State(is_there, {**later.values, **step.left} if kept else {}))
        later = _found(step, states[-1])
    return states


def _found(step: Step, left: State) -> State:
    """Return what a step found, by what it wrote down and by what it left as it was."""
    if step.kind == OutcomeKind.CREATED:
        return NOWHERE
    if step.kind == OutcomeKind.REMOVED:
        return State(is_there=True, values=step.found)
    if step.is_dropped:
        return State(is_there=None)
    return State(not step.brings_back, {**left.values, **step.found})


# What is proved, and what is known


@dataclass(frozen=True)
class _Proof:
    """Whether these values hash to what a step wrote down; None: one of the two is not there."""

    values: Values
    holds: bool | None


def _proofs(steps: Sequence[Step], seeming: Sequence[State], hash_of: Hash) -> list[_Proof]:
    """Hash the values that each step seems to have left; else with those that older ones left.

    Somebody may have changed them after the step, which wrote nothing of those.
    """
    proofs = _hashed(steps, [state.values for state in seeming], hash_of)
    if all(proof.holds is not False for proof in proofs):
        return proofs
    older = _forwards(steps, proofs)
    others = [
        {**one.values, **_within(old, one.values)} for one, old in zip(proofs, older, strict=True)
    ]
    again = _hashed(steps, others, hash_of)
    return [two if two.holds else one for one, two in zip(proofs, again, strict=True)]


def _hashed(steps: Sequence[Step], values: Sequence[Values], hash_of: Hash) -> list[_Proof]:
    return [
        _Proof(some, None if None in {step.row_hash, found} else step.row_hash == found)
        for step, some, found in zip(steps, values, hash_of(values), strict=True)
    ]


def _forwards(steps: Sequence[Step], proofs: Sequence[_Proof]) -> list[Values]:
    """Return the values after each step that it, or an older one, wrote down or proves."""
    known, after = dict[str, Any](), list[Values]()
    for step, proof in zip(reversed(steps), reversed(proofs), strict=True):
        known = {} if step.kind == OutcomeKind.CREATED else known
        known = {**known, **step.left, **(proof.values if proof.holds else {})}
        after.append(known)
    return after[::-1]


def _within(some: Values, others: Values) -> Values:
    return {column: value for column, value in some.items() if column in others}


def _left(steps: Sequence[Step], seeming: Sequence[State], proofs: Sequence[_Proof]) -> list[State]:
    """Return what is known of what each step left.

    Where its hash proves nothing, that is what it wrote; where it wrote none, what the older steps
    do not contradict.
    """
    older = _forwards(steps, proofs)
    known = list[State]()
    for step, state, proof, old in zip(steps, seeming, proofs, older, strict=True):
        values = proof.values if proof.holds else step.left
        if step.row_hash is None:
            values = {c: v for c, v in state.values.items() if old.get(c, v) == v}
        known.append(State(state.is_there, values))
    return known


# What was changed past the program


def _moves(left: Sequence[State], found: Sequence[State], before: State) -> Iterator[Outside]:
    """Find where the record came or went between two steps, or was there before all of them."""
    for place, (one, later) in enumerate(zip(left, found, strict=True)):
        if later.is_there not in {None, one.is_there}:
            yield Outside(place, place - 1, came=later.is_there)
    if before.is_there:
        yield Outside(len(left), len(left) - 1, came=True)


def _edits(
    steps: Sequence[Step], left: Sequence[State], found: Sequence[State]
) -> Iterator[Outside]:
    """Find the values that were found otherwise than they had been left."""
    told: dict[tuple[int, int], dict[str, tuple[Any, Any]]] = {}
    last: dict[
        str, tuple[Any, int]
    ] = {}  # the last known value of each column, and after which step
    for place in reversed(range(len(steps))):
        if steps[place].kind != OutcomeKind.UPDATED:
            last = {}  # another row, or one of which all values are known
        last |= {column: (value, place) for column, value in left[place].values.items()}
        for column, value in found[place].values.items():
            was, since = last.get(column, (value, place))
            if was != value:
                told.setdefault((since, place - 1), {})[column] = (was, value)
                last[column] = (value, place)
    for (since, until), values in told.items():
        yield Outside(since, until, values)


def _unexplained(proofs: Sequence[_Proof], told: Sequence[Outside]) -> list[Outside]:
    """Find what only a hash tells: between this step and the next one that is proved."""
    found, until = dict[int, Outside](), NOW
    for place, proof in enumerate(proofs):
        if proof.holds:
            until = place
        if proof.holds is False and not any(one.until < place < one.since for one in told):
            found.setdefault(until, Outside(place, until))
    return list(found.values())
