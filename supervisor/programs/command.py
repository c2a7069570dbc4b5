"""How does the CMD of `init -c … -- CMD` become a service? It is `main`: the one in our foreground, and the world's end is its end.

It starts when all that is enabled is ready, has our stdin, stdout and stderr as they are, and when it ends the world shuts down
with its exit status (SERVICES §5); as an image needs it whose ENTRYPOINT is pidone and whose CMD is anything.
"""

from __future__ import annotations

from supervisor.model.plan import Plan, PlannedService
from supervisor.model.record import replace
from supervisor.model.spec import DependencySpec, RestartSpec, ServiceSpec
from supervisor.model.words import ServiceName
from supervisor.wire.diagnostics import Diagnostic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["NAME", "in_foreground"]

NAME = ServiceName("main")


def in_foreground(plan: Plan, command: Sequence[str]) -> Plan | tuple[Diagnostic, ...]:
    """The plan with this command as the service `main`; or everything that is in its way."""
    if found := tuple(_in_the_way(plan)):
        return found
    everybody = (planned.name for planned in plan.services if planned.spec.enabled)
    main = PlannedService(
        NAME,
        ServiceSpec(
            command=(tuple(command),),
            description="the command after --",
            depends_on=dict.fromkeys(everybody, DependencySpec("ready")),
            restart=RestartSpec("never"),
            shutdown_on="exit",
            stdin="inherit",
        ),
        defined_at="the command line",
        foreground=True,
    )
    return replace(plan, services=(*plan.services, main))


def _in_the_way(plan: Plan) -> Iterator[Diagnostic]:
    for planned in plan.services:
        if planned.name == NAME:
            text = "a service is called `main`, which is what the command after `--` is called"
            yield _at(planned, "main-taken", text, "rename the service, or leave the command out")
        if planned.spec.stdin == "inherit":
            text = f"`{planned.name}` wants our standard input, which the command after `--` has"
            yield _at(planned, "stdin-shared", text, "leave out its `stdin: inherit`, or the command")


def _at(planned: PlannedService, code: str, message: str, hint: str) -> Diagnostic:
    file, _, line = planned.defined_at.rpartition(":")
    return Diagnostic(code, message, file=file, line=int(line) if line.isdigit() else 0, hint=hint)
