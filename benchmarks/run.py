"""How does pidone compare? Measures it beside other supervisors, in one run, and prints one table.

    python benchmarks/run.py                                # everything, less than eight minutes
    python benchmarks/run.py --quick                        # 1 and 100 services, short looks: shows that it works
    python benchmarks/run.py --only kill --who s6           # some rows, some contenders; both may be given several times

The table goes to standard output, what is being done to standard error. What the rows show and do not show is in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from contenders import Contender, gather
from measure import Figures, Plan, crash_loop, idle_worlds, orphan_storm, successors
from ours import OURS
from peers import PEERS
from processes import adopt
from table import ROWS, table

_MAKERS = {**OURS, **PEERS}
_QUICK = Plan(frozenset(), sizes=(1, 100), idle=3.0, times=2, crashing=20, window=1.0, orphans=1000, storm_patience=5.0)


def _cache() -> Path:
    """Nobody else can write there: what is in it is executed."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pidone-benchmarks"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    rows = list(dict.fromkeys(row.belongs_to for row in ROWS))
    parser.add_argument(
        "--quick", action="store_true", help="1 and 100 services, 20 that crash, 1000 orphans, few repetitions"
    )
    parser.add_argument("--only", action="append", choices=rows, default=[], metavar="ROW", help=", ".join(rows))
    parser.add_argument("--who", action="append", choices=_MAKERS, default=[], metavar="NAME", help=", ".join(_MAKERS))
    parser.add_argument("--tools", type=Path, default=_cache(), help="where the others are put, instead of %(default)s")
    chosen = parser.parse_args()
    chosen.only = chosen.only or rows
    return chosen


def _steps(plan: Plan) -> Sequence[tuple[str, Callable[[Contender], Figures]]]:
    """Title, and what is to be done with each contender."""
    return (
        *((f"{size} idle services", lambda who, size=size: idle_worlds(who, size, plan)) for size in plan.sizes),
        ("SIGKILL to successor", lambda who: successors(who, plan)),
        (f"{plan.orphans} orphans", lambda who: orphan_storm(who, plan)),
        (f"crash loop of {plan.crashing}", lambda who: crash_loop(who, plan)),
    )


def _measure(everybody: Sequence[Contender], plan: Plan) -> dict[str, Figures]:
    figures: dict[str, Figures] = {who.name: {} for who in everybody}
    for title, step in _steps(plan):
        for who in everybody:
            begun = time.monotonic()
            try:
                seen = step(who)
            except (OSError, TimeoutError) as error:
                print(f"{title}: {who.name} failed: {error}", file=sys.stderr)
            else:
                if seen:
                    print(f"{title}: {who.name}, {time.monotonic() - begun:.1f} s", file=sys.stderr)
                figures[who.name].update(seen)
    return figures


def main() -> None:
    chosen = _arguments()
    plan = (_QUICK if chosen.quick else Plan(frozenset()))._replace(rows=frozenset(chosen.only))
    everybody, left_out = gather(_MAKERS, chosen.tools, chosen.who)
    if not everybody:
        sys.exit("\n".join(f"{name} is left out: {reason}" for name, reason in left_out.items()))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends us, what we started is ended first
    adopt()
    load, begun = os.getloadavg()[0], time.monotonic()
    figures = _measure(everybody, plan)
    wanted = {row.name for row in ROWS if row.belongs_to in plan.rows}
    shown = {who: {key: figure for key, figure in seen.items() if key[0] in wanted} for who, seen in figures.items()}
    print(
        f"Linux {platform.release()}, {os.cpu_count()} cores, uid {os.getuid()}; load before the run {load:.1f}; "
        f"it took {time.monotonic() - begun:.0f} s; median of up to {plan.times}.\n"
    )
    print(table([who.name for who in everybody], shown))
    print()
    for who in everybody:
        print(f"- {who.name}: {who.note}.")
    for name, reason in left_out.items():
        print(f"- {name} is left out: {reason}.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
