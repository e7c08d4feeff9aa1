"""Run the benchmark: `python -m bench`. It prints Markdown; what it prints is explained in docs/reference/benchmarks.md."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

from bench import intake, load, payloads, service, sheets, under_load
from bench.clock import Spread, interleaved, number
from bench.compare import Pace, Pair, against_hand, against_peer, passing
from bench.data import facts, sample
from bench.peers import Peer, peers
from bench.sets import Set, generated, shipped
from bench.uploads import print_uploads

FULL = Pace(rounds=11, budget=4.0, passing=0.1)
LEAST_TIMED = 5
"""Fewest products of a timed pass from end to end."""
QUICK = Pace(rounds=3, budget=0.1, passing=0.01)


def main() -> int:
    """Run what was asked for.

    Returns:
        0; or 1 where an engine answered otherwise than the record evaluator.
    """
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a few seconds: that it runs, not what it measures"
    )
    quick = parser.parse_args().quick
    pace, count, sizes = (QUICK, 60, (14,)) if quick else (FULL, 2000, (14, 140, 1400))
    found, absent = peers()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(
        f"{cores} cores, {platform.python_implementation()} {platform.python_version()}, {platform.system()}."
    )
    for line in absent:
        print(f"- {line}")
    world, items = sample(count)
    products = facts(world, items)
    sets = [shipped(world, products)] + [generated(size, world, products) for size in sizes]
    wrong = [name for measured in sets for name in print_set(measured, found, pace)]
    as_many = generated(len(sets[0].rules.plan.rules), world, products)
    print_growth([sets[0], as_many, *sets[1:]], pace)
    print_compiling(sets)
    print_payloads(sets[0], items, found, pace)
    rows, rounds = (300, 1) if quick else (50_000, 3)
    print_sheets(rows, rounds)
    print_uploads(rows, rounds, fetched=60 if quick else 2000)
    if quick:
        print_service(rounds=1, seconds=1.0, rows=300, streams=4)
    else:
        print_service(rounds=9, seconds=4.0, rows=50_000, streams=40)
    print_intake(orders=50 if quick else 2000, rounds=1 if quick else 7)
    for line in wrong:
        print(f"DIFFERENT: {line}", file=sys.stderr)
    return 1 if wrong else 0


def print_set(measured: Set, found: list[Peer], pace: Pace) -> list[str]:
    """Print what each peer takes on one set of rules, and give the lines about those that answered otherwise."""
    rules = measured.rules
    decide = rules.decide()
    failing = sum(1 for fact in rules.facts if decide(fact)) / len(rules.facts)
    print(f"\n## {measured.title.capitalize()} rules: {len(rules.plan.rules):,} in force\n")
    print(f"{len(rules.facts):,} products, {failing:.0%} of which fail a rule or can't be decided.\n")
    print(
        "| | takes, record = 1 | µs a product | record, µs | rules compared | products compared (timed) | prepare, µs a rule |"
    )
    print("|---|---|---|---|---|---|---|")
    by_hand = against_hand(rules, measured.by_hand, Pace(pace.rounds * 2 + 1, pace.budget, pace.passing))
    _row(by_hand)
    if by_hand.differing:
        print(
            f"\nThe floor says otherwise than the rules, so these are left out: {', '.join(by_hand.differing)}\n"
        )
    wrong = []
    for peer in found:
        pair = against_peer(rules, peer, pace)
        _row(pair)
        if pair.differing:
            wrong.append(f"{measured.title}: {peer.NAME} on {', '.join(pair.differing[:10])}")
    record = Spread(tuple(1 / ratio for ratio in by_hand.peer.over(by_hand.record).values))
    print(f"\nRecord / hand-written: {record.ratio()}; goal at the shipped rules ≤ 1.5×.", flush=True)
    return wrong


def _row(pair: Pair) -> None:
    if not pair.compared:
        print(f"| {pair.name} | has no words for any of these rules | | | 0 of {pair.rules} | | |")
        return
    took = f"{number(pair.peer.middle * 1e6)} | {number(pair.record.middle * 1e6)}"
    compiling = f"{pair.compiling * 1e6:,.0f}" if pair.compiling else ""
    compared = f"{pair.compared:,} of {pair.rules:,} | {pair.facts:,} ({pair.timed:,})"
    print(f"| {pair.name} | {pair.ratio.ratio()} | {took} | {compared} | {compiling} |", flush=True)


def print_growth(sets: list[Set], pace: Pace) -> None:
    """Print how the cost of the record evaluator grows with the number of rules."""
    decides = {measured.title: measured.rules.decide() for measured in sets}
    some = sets[0].rules.facts[:500]
    runs = {title: (lambda decide=decide: passing(decide, some)) for title, decide in decides.items()}
    found = interleaved(runs, pace.rounds, pace.passing)
    bases = sets[:3]
    print("\n## Growth with the number of rules\n")
    print("| rules | µs a product | " + " | ".join(f"to {base.title}" for base in bases) + " |")
    print("|---|---|" + "---|" * len(bases))
    for measured in sets:
        cost = found[measured.title]
        ratios = " | ".join(cost.over(found[base.title]).ratio() for base in bases)
        took = number(cost.middle / len(some) * 1e6)
        print(f"| {measured.title} ({len(measured.rules.plan.rules):,}) | {took} | {ratios} |")
    print("\nGoal: 1,400 rules ≤ 25 × as many as are shipped.", flush=True)


def print_compiling(sets: list[Set]) -> None:
    """Print what it costs to get rules ready, once."""
    print(
        "\n## Compile time\n\n| rules | read, check and plan, µs a rule | generate and compile, µs a rule |\n|---|---|---|"
    )
    for measured in sets:
        print(f"| {measured.title} | {measured.reading * 1e6:,.0f} | {measured.compiling * 1e6:,.0f} |")


def print_payloads(measured: Set, items: list[payloads.Item], found: list[Peer], pace: Pace) -> None:
    """Print the way from a payload's bytes to a decision."""
    rules, world = measured.rules, measured.rules.world
    print("\n## From payload to decision, shipped rules\n\n| step | µs a product |\n|---|---|")
    some = items[:500]
    for step in payloads.steps(world, some, rules.decide(), pace):
        low, high = min(step.spread.values) * 1e6, max(step.spread.values) * 1e6
        print(f"| {step.name} | {number(step.spread.middle * 1e6)} ({number(low)}–{number(high)}) |")
    print(
        "\nEnd to end: bytes → JSON → fact → decision. Every engine gives the list of failing rules, both of a pair for the same rules; "
        "the last line is the whole decision by all rules, with messages, evidence and remedies.\n"
    )
    print("| engine | takes, record = 1 | µs a product | rules |\n|---|---|---|---|")
    for peer in found:
        pair = against_peer(rules, peer, Pace(1, pace.budget / 4, pace.passing / 4))
        if pair.compared:
            ours, theirs = payloads.against_peer(rules, items, peer, max(LEAST_TIMED, pair.timed), pace)
            _end_to_end(peer.NAME, ours, theirs, f"{pair.compared} of {pair.rules}")
    explain = payloads.explained(measured.rulebook, measured.ruleset, world)
    ours, theirs = payloads.against_record(rules, items, explain, len(items), pace)
    _end_to_end("record, with reasons", ours, theirs, str(len(rules.plan.rules)))
    print("\nGoal: each engine of others ≥ 5×.", flush=True)


def _end_to_end(name: str, ours: Spread, theirs: Spread, answered: str) -> None:
    print(
        f"| {name} | {theirs.over(ours).ratio()} | {number(theirs.middle * 1e6)} | {answered} |", flush=True
    )


def print_sheets(rows: int, rounds: int) -> None:
    """Print what reading and checking a large upload takes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sheets.write(folder, rows)
        found = sheets.costs(folder, rounds)
    alone, built = (found[step].seconds for step in list(sheets.STEPS)[:2])
    print(f"\n## An upload of {rows:,} rows, with as many products\n")
    print(
        "| step | CPU s | to calamine alone | to calamine and facts | peak memory, MB |\n|---|---|---|---|---|"
    )
    for step, cost in found.items():
        ratios = f"{cost.seconds.over(alone).ratio()} | {cost.seconds.over(built).ratio()}"
        print(f"| {step} | {number(cost.seconds.middle)} | {ratios} | {cost.peak:,.0f} |")
    print("\nGoal: the check ≤ 2 × calamine and facts.", flush=True)


def print_service(rounds: int, seconds: float, rows: int, streams: int) -> None:
    """Print what a request to the service costs, and how long requests take while other work goes on."""
    tool = "wrk" if load.WRK else "threads of Python, as wrk is not installed"
    print(f"\n## The service: a listing of {service.FACT_BYTES:,} bytes, accepted\n")
    print(f"{under_load.CONNECTIONS} connections, by {tool}.\n")
    print("| | CPU of the server, echo = 1 | µs a request | requests a second | p50, ms | p99, ms |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        ours, bare = under_load.against_echo(Path(folder), rounds, seconds)
    for name, cost in (("bare Flask, JSON echo", bare), ("POST /v1/validate", ours)):
        paid = f"{cost.cpu.over(bare.cpu).ratio()} | {number(cost.cpu.middle * 1e6)}"
        last = f"{number(cost.last.p50 * 1e3)} | {number(cost.last.p99 * 1e3)}"
        print(f"| {name} | {paid} | {number(cost.rate.middle)} | {last} |", flush=True)
    print("\nGoal: ≤ 1.6 × the echo.\n")
    with tempfile.TemporaryDirectory() as folder:
        found, took = under_load.latencies(Path(folder), rows, streams, seconds * 2)
    print(f"One request every {under_load.EVERY * 1e3:.0f} ms, while:\n")
    print("| | requests | p50, ms | p99, ms | longest, ms |\n|---|---|---|---|---|")
    for item in found:
        times = " | ".join(number(value * 1e3) for value in (item.p50, item.p99, item.worst))
        print(f"| {item.while_} | {item.requests:,} | {times} |")
    print(f"\nThe check took {number(took)} s.", flush=True)


def print_intake(orders: int, rounds: int) -> None:
    """Print how fast orders are taken in, against decrypting and storing alone."""
    with tempfile.TemporaryDirectory() as name:
        found = intake.measure(Path(name), orders, rounds)
    print(f"\n## Intake of {orders:,} orders, SQLite\n")
    print(
        "| | takes, decrypting and storing = 1 | CPU µs an order | orders a CPU second |\n|---|---|---|---|"
    )
    for title, cost in (("decrypting and storing alone", found.alone), ("intake as a whole", found.whole)):
        took = f"{number(cost.middle * 1e6)} | {number(1 / cost.middle)}"
        print(f"| {title} | {cost.over(found.alone).ratio()} | {took} |")
    print(
        f"\nThe fastest intake took {number(1 / found.lasted)} orders a second, waiting for the marketplace included.",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
