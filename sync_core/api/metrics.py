"""The figures of `/metrics`, as Prometheus reads them: of one organization, or of all together."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import metadata
from itertools import accumulate

from prometheus_client import ProcessCollector, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from redis import RedisError

from sync_core.analytics import totals
from sync_core.analytics.totals import QUEUED, TOOK, Group, Spread, Totals
from sync_core.api import live
from sync_core.execution import queue
from sync_core.foundation import db
from sync_core.foundation.vocabulary import RunStatus


@cache
def _totals() -> Totals:
    return Totals()


def text(only: int | None, *, postgres: bool, redis: bool) -> bytes:
    """Return the figures of this organization, or of all and of the machine.

    They are read anew each time, from the servers that answer. Raises DBAPIError.
    """
    families: list[Metric] = []
    if postgres:
        families += _of_runs(only)
    if only is None:
        families += _of_machine(postgres=postgres, redis=redis)
    return generate_latest(_Collected(families))


class _Collected(Collector):
    """What was collected, in the form that the library takes."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """Return it."""
        return self._families


def _of_runs(only: int | None) -> Iterator[Metric]:
    counted = _totals()
    with db.everywhere() as connection:
        counted.count_on(connection)
        active = _only(only, totals.on_their_way(connection))
        waits = totals.longest_wait(connection, only)
        outbox, overdue = totals.undelivered(connection, only)
    queued = sum(n for group, n in active.items() if group.what == RunStatus.QUEUED)
    by_status = GaugeMetricFamily("syncdesk_runs", "Runs on their way", labels=_STATUS)
    yield _filled(by_status, active)
    yield GaugeMetricFamily("syncdesk_queue_length", "Runs that wait for a worker", queued)
    yield GaugeMetricFamily("syncdesk_queue_oldest_seconds", "Longest wait among them", waits)
    yield GaugeMetricFamily("syncdesk_outbox", "Messages that are not delivered yet", outbox)
    yield GaugeMetricFamily("syncdesk_outbox_overdue_seconds", "Of the latest of them", overdue)
    for name, meaning, labels, figures in (
        ("syncdesk_runs_ended", "Runs that have ended", _STATUS, counted.runs),
        ("syncdesk_rows", "Rows by outcome, of runs that have ended", _OUTCOME, counted.rows),
        ("syncdesk_source_requests", "Requests to sources", _RESOURCE, counted.requests),
        ("syncdesk_source_bytes", "Bytes that came from sources", _RESOURCE, counted.bytes),
    ):
        yield _filled(CounterMetricFamily(name, meaning, labels=labels), _only(only, figures))
    waited = {group: ms / 1000 for group, ms in _only(only, counted.waits).items()}
    name, meaning = "syncdesk_source_wait_seconds", "Waits for sources, and for their limits"
    yield _filled(CounterMetricFamily(name, meaning, labels=_RESOURCE), waited)
    for name, meaning, bounds, spreads in (
        ("syncdesk_run_duration_seconds", "From the first start to the end", TOOK, counted.took),
        ("syncdesk_queue_wait_seconds", "From the request to the start", QUEUED, counted.queued),
    ):
        yield _spread(HistogramMetricFamily(name, meaning, labels=_RESOURCE), bounds, only, spreads)


_RESOURCE = ("resource",)
_STATUS, _OUTCOME = (*_RESOURCE, "status"), (*_RESOURCE, "outcome")


def _only(organization_id: int | None, figures: Mapping[Group, int]) -> Mapping[Group, int]:
    """Return the figures of one organization, or of all; what they are of is named once."""
    kept = Counter[Group]()
    for group, number in figures.items():
        if organization_id in {None, group.organization_id}:
            kept[group._replace(organization_id=0)] += number
    return kept


def _filled(
    family: GaugeMetricFamily | CounterMetricFamily, figures: Mapping[Group, float]
) -> Metric:
    for (_, *labels), number in sorted(figures.items()):
        family.add_metric(list(filter(None, labels)), number)
    return family


def _spread(
    family: HistogramMetricFamily,
    bounds: Sequence[float],
    only: int | None,
    spreads: Mapping[Group, Spread],
) -> Metric:
    mine = [(g.resource, s) for g, s in spreads.items() if only in {None, g.organization_id}]
    for resource in sorted({name for name, _ in mine}):
        some = [spread for name, spread in mine if name == resource]
        counts = accumulate(map(sum, zip(*(spread.counts for spread in some), strict=True)))
        places = zip((*map(str, bounds), "+Inf"), counts, strict=True)
        family.add_metric([resource], list(places), sum(spread.seconds for spread in some))
    return family


def _of_machine(*, postgres: bool, redis: bool) -> Iterator[Metric]:
    up = GaugeMetricFamily("syncdesk_server_up", "Whether it answers", labels=["server"])
    up.add_metric(["postgres"], postgres)
    up.add_metric(["redis"], redis)
    yield up
    if redis:
        with suppress(RedisError):  # it has gone since it was asked
            alive, length = queue.workers(), queue.length()
            yield GaugeMetricFamily("syncdesk_workers", "Workers that are alive", alive)
            yield GaugeMetricFamily("syncdesk_queue_jobs", "Runs in Redis's queue", length)
    yield GaugeMetricFamily("syncdesk_streams", "Streams that this process serves", live.open_now())
    version = metadata.version("syncdesk")
    yield InfoMetricFamily("syncdesk", "The program", {"version": version})
    yield from ProcessCollector(registry=None).collect()
