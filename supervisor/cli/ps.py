"""`pidone ps`: the processes of the world, and whose they are."""

from __future__ import annotations

from supervisor.cli.errors import OK
from supervisor.cli.output import columns, escape, say_json
from supervisor.cli.process_tree import command_of, in_tree
from supervisor.cli.session import every_number, numbers_here, open_caller, stdout_look

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from supervisor.cli.output import Look
    from supervisor.cli.parse import Asked

__all__ = ["run"]


def run(asked: Asked) -> int:
    caller = open_caller(asked)
    document = caller.ask("ps")
    processes = document["processes"]
    here = numbers_here(caller, document.pop("pid_ns"), [process["pid"] for process in processes])
    if here is not None:
        for process in processes:
            process["host_pid"] = here[process["pid"]]
            process["ns_pids"] = every_number(process["host_pid"], process["ns_pids"])
    if asked.options.get("quiet"):
        return OK
    if asked.output == "json":
        say_json(document)
    elif asked.output == "jsonl":
        for process in processes:
            say_json(process)
    elif asked.output == "name":
        for process in processes:
            print(process["pid"])
    else:
        print("\n".join(_table(processes, here is not None, asked, stdout_look(asked))))
    return OK


def _table(processes: Sequence[Mapping[str, Any]], elsewhere: bool, asked: Asked, look: Look) -> list[str]:
    tree, everywhere = asked.options.get("tree", False), asked.options.get("ns", False) or asked.output == "wide"
    head = ["PID", *(["HOST PID"] if elsewhere else []), "PPID", "UID", "S", "SERVICE", "ROLE", "COMMAND"]
    if everywhere:
        head.insert(head.index("S"), "NS PIDS")
    rows = [head]
    for lead, process in in_tree(processes, look) if tree else (("", process) for process in processes):
        host = [str(process["host_pid"] or "-")] if elsewhere else []
        numbers = [str(process["pid"]), *host, str(process["ppid"]), str(process["uid"])]
        numbers += [" ".join(map(str, process["ns_pids"]))] if everywhere else []
        service = escape(process["service"] or "-")
        rows.append([*numbers, process["state"], service, process["role"], lead + command_of(process)])
    return columns(rows, frozenset(range(head.index("S"))), look)
