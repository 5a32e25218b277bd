"""The figures of costs.md, redis.md and comparison.md. Cog writes them.

AWS's prices are those of `gimel.deploy.cost`. Only free tiers, prices of others and sizes in Redis
are here. Nothing in the package imports this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gimel import config
from gimel.deploy import cost, store_cost
from gimel.deploy.resources.store import MOST_ECPUS, MOST_GB
from gimel.report import REFRESH_SECONDS
from gimel.wiring import WIRING

EVENTS = (1, 10)  # million per month

# What AWS gives every account, every month: https://aws.amazon.com/lambda/pricing/ and
# https://aws.amazon.com/cloudwatch/pricing/.
FREE_REQUESTS = 1_000_000
FREE_GB_SECONDS = 400_000
FREE_LOG_GB = 5

COMMANDS_PER_EVENT = 2
COMMANDS_PER_LOOK = 5  # and one for each HyperLogLog
UPSTASH_COMMANDS = 0.20 / 100_000  # https://upstash.com/pricing/redis

# A HyperLogLog has at most 12,304 bytes, for which jemalloc reserves 14,336. The rest is its key.
SHARD_BYTES = 14_336 + 96
PRECISIONS = (1, 4, 16)
DATABASE_BYTES = 250_000_000

_MEMORY = WIRING.function("gimel-track").memory
_SNAPSHOT = WIRING.function("gimel-snapshot")
_RATES = (config.Document().aws.throttle.rate, 10, 25, 100, 1000)  # requests per second
_SECONDS = 10  # of a run, for example
_ARCHITECTURE = config.Document().aws.architecture


def parts(millions: float, *, free_tier: bool = False) -> dict[str, float]:
    """Return what AWS bills for so many million events by themselves, in US dollars by purpose."""
    events = millions * cost.MILLION
    amounts = {
        "Lambda requests": (events, FREE_REQUESTS, cost.LAMBDA_REQUESTS / cost.MILLION),
        "Lambda computing": (
            events * _MEMORY / 1024 * cost.EVENT_SECONDS,
            FREE_GB_SECONDS,
            cost.GB_SECOND[_ARCHITECTURE],
        ),
        "logs in CloudWatch": (events * cost.LOG_BYTES / 1e9, FREE_LOG_GB, cost.LOG_GB),
    }
    return {
        "API Gateway, only through the REST API": millions * cost.REST_API_REQUESTS,
        **{
            purpose: max(amount - free_tier * free, 0) * price
            for purpose, (amount, free, price) in amounts.items()
        },
    }


def store_table() -> str:
    """Return the cost of a month of a store that Gimel creates, as a table."""
    rest, event = store_cost.store_at_rest(), store_cost.store_per_million_events()
    most = store_cost.most_per_month(MOST_GB, MOST_ECPUS)
    rows = [
        ("at rest, with up to 100 MB of counts", f"${rest:.2f}"),
        ("a million events", f"${event:.4f}"),
        (f"at its limits: {MOST_GB} GB, {MOST_ECPUS:,} ECPUs in every second", f"${most:.2f}"),
    ]
    lines = ["| a month of a store on ElastiCache | US dollars |", "| --- | ---: |"]
    return "\n".join([*lines, *(f"| {what} | {price} |" for what, price in rows)])


def totals(millions: float, *, free_tier: bool = False) -> tuple[float, float]:
    """Return the costs through the REST API and through a function URL, in US dollars."""
    gateway, *others = parts(millions, free_tier=free_tier).values()
    return gateway + sum(others), sum(others)


def totals_table() -> str:
    """Return a table of the monthly costs, without and with the free tier."""
    head = ["events per month", "REST API", "function URL"]
    head += [f"{name}, less the free tier" for name in head[1:]]
    rows = []
    for millions in EVENTS:
        figures = [*totals(millions), *totals(millions, free_tier=True)]
        rows.append([f"{millions} million", *(f"${figure:.2f}" for figure in figures)])
    return _table(head, rows)


def parts_table() -> str:
    """Return a table of what a million events are billed for."""
    rows = ([purpose, f"${amount:.3f}"] for purpose, amount in parts(1).items())
    return _table(["a million events", "US dollars"], rows)


def assumptions() -> str:
    """Return the sentence with what the costs rest on."""
    return (
        f"A call is assumed to take {cost.EVENT_SECONDS * 1000:.0f} ms with {_MEMORY} MB on "
        f"{_ARCHITECTURE}, and to log {cost.LOG_BYTES} bytes.\n"
    )


def snapshots() -> str:
    """Return the sentences with the costs of the daily snapshot."""
    most, usual = (
        cost.snapshots_per_month(_SNAPSHOT.memory, _ARCHITECTURE, seconds)
        for seconds in (_SNAPSHOT.timeout, _SECONDS)
    )
    variants, goals, precision = 2, 3, PRECISIONS[-1]
    commands = commands_per_look(variants, goals, precision) * cost.DAYS
    return (
        f"A daily run of {_SECONDS} seconds costs ${usual:.3f} a month with {_SNAPSHOT.memory} MB"
        f" on {_ARCHITECTURE}. If each run took all {_SNAPSHOT.timeout // 60} minutes that it"
        f" may take, it would be ${most:.2f}. Where Redis is billed by the command, an experiment "
        f"with {variants} variants and {goals} goals at precision {precision} adds about "
        f"{commands:,} commands a month, or ${commands * UPSTASH_COMMANDS:.2f}. "
        '`"snapshots": false` turns them off.\n'
    )


def worst_months() -> str:
    """Return a table of what a month costs at most, by the rate of the throttle."""
    head = ["`aws.throttle.rate`", "events per month, by one method", "worst month"]
    public = [route for route in WIRING.routes if not route.api_key_required]
    preflights = len({route.path for route in WIRING.routes})
    rows = []
    for rate in _RATES:
        events = rate * cost.DAYS * 86_400 / cost.MILLION
        functions = [(_MEMORY, _ARCHITECTURE)] * len(public)
        dollars = cost.cost_of_flood(rate, functions, preflights=preflights)
        rows.append([f"{rate:,.15g}", f"{events:,.0f} million", f"${dollars:,.0f}"])
    rows[0][0] += " (default)"
    return _table(head, rows)


def summary() -> str:
    """Return the sentence of comparison.md with the costs of Gimel."""
    through_api, through_url = totals(1)
    return (
        f"A million events cost ${through_url:.2f} through a function URL or ${through_api:.2f} "
        "through the REST API, and a Redis ([costs.md](costs.md)).\n"
    )


def commands_table() -> str:
    """Return a table of what a Redis costs that is billed by the command."""
    head = ["events per month", "commands", "Upstash, pay as you go"]
    rows = []
    for millions in EVENTS:
        commands = millions * cost.MILLION * COMMANDS_PER_EVENT
        price = f"${commands * UPSTASH_COMMANDS:.2f}"
        rows.append([f"{millions} million", f"{commands / 1e6:.0f} million", price])
    return _table(head, rows)


def looking() -> str:
    """Return the sentences with the commands that reading the results takes."""
    variants, goals, precision = 2, 3, PRECISIONS[-1]
    commands = commands_per_look(variants, goals, precision)
    hourly = commands * 3600 // REFRESH_SECONDS
    return (
        f"Looking at results takes commands too: {commands} for an experiment with {variants} "
        f"variants and {goals} goals at precision {precision}. The dashboard reads every "
        f"{REFRESH_SECONDS} seconds while you look at it: that is {hourly:,} commands an hour, or "
        f"${hourly * UPSTASH_COMMANDS:.2f}, for each such experiment.\n"
    )


def commands_per_look(variants: int, goals: int, precision: int) -> int:
    """Return how many commands a look at the only experiment takes."""
    return counters(variants, goals) * precision + COMMANDS_PER_LOOK


def memory_table() -> str:
    """Return a table of the largest sizes in Redis, by precision."""
    head = ["`precision`", "counter", "2 variants, 3 goals", "experiments like that in 250 MB"]
    rows = []
    for precision in PRECISIONS:
        counter = counter_bytes(precision)
        experiment = counters(2, 3) * counter
        many = int(DATABASE_BYTES / experiment)
        rows.append([str(precision), _size(counter), _size(experiment), f"{many:,}"])
    return _table(head, rows)


def counter_bytes(precision: int) -> int:
    """Return how many bytes of Redis' memory a counter needs at most."""
    return precision * SHARD_BYTES


def counters(variants: int, goals: int) -> int:
    """Return how many counters an experiment has: visitors and each goal, of each variant."""
    return variants * (1 + goals)


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1_000_000 else f"{size / 1e3:.0f} KB"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table whose first column is text, and the others are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
