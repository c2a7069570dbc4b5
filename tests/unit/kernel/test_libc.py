"""Does a call into the C library tell what happened, and does it cost nothing until then?"""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from supervisor.kernel.libc import call


def test_a_call_returns_what_the_function_returns() -> None:
    assert call("getppid") == os.getppid()


def test_a_failed_call_raises_its_errno() -> None:
    with pytest.raises(OSError, match="No such file") as caught:
        call("open", b"/nowhere", os.O_RDONLY)
    assert caught.value.errno == errno.ENOENT


def test_a_function_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError):
        call("no_such_function_anywhere")


@pytest.mark.parametrize("module", ["libc", "linux", "prctl", "cgroups"])
def test_importing_the_kernel_loads_nothing_slow(module: str) -> None:
    slow = "{'ctypes', 'dataclasses', 'inspect', 'subprocess', 'logging', 'tempfile', 'asyncio', 'trio', 'yaml', 'pydantic'}"
    code = f"import sys, supervisor.kernel.{module}; print(sorted({slow} & set(sys.modules)))"
    ours = {
        name: value for name, value in os.environ.items() if not name.startswith("COV")
    }  # which measures, and loads
    ran = subprocess.run([sys.executable, "-c", code], env=ours, capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
