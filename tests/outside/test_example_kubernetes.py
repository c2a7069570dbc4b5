"""Do the words of `examples/kubernetes/pod.yaml` do in a pod what they are there for? There is no cluster here: the manifest is
read, and its command, probes and hook are run in namespaces like a pod's – with a PID namespace of the container's own, and in
one that it shares with a pause.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.eventually import eventually
from tests.outside.container import Container, container, instructions, words_of
from tests.outside.example import EXAMPLES, a_free_port

_DOCUMENTS = {one["kind"]: one for one in yaml.safe_load_all((EXAMPLES / "kubernetes" / "pod.yaml").read_text())}
_POD = _DOCUMENTS["Pod"]["spec"]
(_CONTAINER,) = _POD["containers"]

# Besides the services of the manifest: one whose daemon leaves its session and lives on.
_DAEMONS = """
services:
  daemons:
    command: {shell: "env -i setsid sh -c 'sleep 100000 & exit' & wait; echo left one; exec sleep 100000"}
    ready: {log: left one}
"""


def _probe(name: str) -> list[str]:
    words: list[str] = _CONTAINER[name]["exec"]["command"]
    return words


def _config_map(folder: Path) -> Path:
    """The folder as the kubelet mounts it: every file a link into a folder that is exchanged as a whole."""
    (folder / "..data_1").mkdir()
    (folder / "..data").symlink_to("..data_1")
    for name, text in {**_DOCUMENTS["ConfigMap"]["data"], "test.yaml": _DAEMONS}.items():
        (folder / "..data_1" / name).write_text(text)
        (folder / name).symlink_to(f"..data/{name}")
    for path in (folder, folder / "..data_1"):
        path.chmod(0o755)  # for the image's user
    return folder


@pytest.fixture(params=[False, True], ids=["own", "shared"])
def pod(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Container, bool]]:
    given = {one["name"]: one["value"] for one in _CONTAINER["env"]}
    ours = {"PORT": str(a_free_port()), "DRAIN_SECONDS": "0"}
    env = given | ours | {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    mounts = {one["name"]: one["mountPath"] for one in _CONTAINER["volumeMounts"]}
    options = ["-v", f"{_config_map(tmp_path)}:{mounts['services']}", "--", *_CONTAINER["args"]]
    with container(*options, env=env, shared=request.param) as here:
        yield here, request.param


def test_the_manifest_says_what_the_image_and_pidone_keep() -> None:
    assert _CONTAINER["command"] == words_of(instructions()["ENTRYPOINT"][0])
    user = _POD["securityContext"]
    assert f"{user['runAsUser']}:{user['runAsGroup']}" == instructions()["USER"][0]
    assert _CONTAINER["securityContext"]["readOnlyRootFilesystem"]
    volumes = {one["name"]: one for one in _POD["volumes"]}
    assert volumes["services"]["configMap"]["name"] == _DOCUMENTS["ConfigMap"]["metadata"]["name"]
    assert {one["mountPath"] for one in _CONTAINER["volumeMounts"]} == {"/etc/pidone/pod.d", "/tmp"}
    variables = {one["name"]: one["value"] for one in _CONTAINER["env"]}
    web = yaml.safe_load(_DOCUMENTS["ConfigMap"]["data"]["pod.yaml"])["services"]["web"]
    needed = int(variables["DRAIN_SECONDS"]) + int(web["stop"]["timeout"].removesuffix("s")) + 25
    assert _POD["terminationGracePeriodSeconds"] >= needed


def test_the_life_of_a_pod(pod: tuple[Container, bool]) -> None:
    here, shared = pod
    here.until(_probe("startupProbe"), 0)
    assert here.run(_probe("readinessProbe")).code == 0
    assert here.run(_probe("livenessProbe")).code == 0
    services = here.services()
    assert {name: one["phase"] for name, one in services.items()} == {
        "page": "done",
        "web": "running",
        "worker": "running",
        "heartbeat": "running",
        "daemons": "running",
    }
    first = here.run(["cat", "/proc/1/cmdline"]).out.split("\0")
    assert (here.status()["pid"] == 1, "pause" in first) == ((False, True) if shared else (True, False))
    eventually(lambda: here.status()["orphans"]["alive"] == 1)  # adopted, not the pause's

    hook = here.run(_CONTAINER["lifecycle"]["preStop"]["exec"]["command"])
    assert hook.code == 0, hook.err
    assert here.services()["web"]["phase"] == "inactive"
    assert here.services()["page"]["phase"] == "done"
    assert here.run(_probe("readinessProbe")).code != 0
    here.stop()
    assert here.ended(_POD["terminationGracePeriodSeconds"]) == 0
    if shared:
        assert here.log().splitlines()[-1] == "left in the pod: /proc/1"
