"""Every interleaving of modthread's C files, up to a bound; see docs/proof.md.

The files that go into firmware are compiled for the host as they are. Each scenario says what
must hold; each fault, put into a copy of one file, must be found.
"""

import platform
import re
import shutil
from pathlib import Path

import explorer
import faults
import pytest

from modthread._base import project

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the explorer switches tasks on x86-64 only"
)

NAMES = [path.stem for path in explorer.SCENARIOS]


@pytest.fixture(scope="session")
def programs() -> dict[int, Path]:
    """The explorers, by number of cores."""
    return {cores: explorer.build(cores) for cores in explorer.CORES}


@pytest.mark.parametrize("cores", explorer.CORES)
@pytest.mark.parametrize("name", NAMES)
def test_scenario(programs: dict[int, Path], name: str, cores: int) -> None:
    bound = explorer.bound_of(name, cores, full=False)
    if bound is None:
        pytest.skip("takes long: make proof")
    scenario = explorer.HERE / f"scenarios/{name}.py"
    result = explorer.explore(programs[cores], scenario, bound)
    assert not result.failure, result.report()
    assert result.bound == bound


def other(fault: faults.Fault, tmp_path: Path, *, sanitize: bool = False) -> Path:
    """The explorer with that fault."""
    shutil.copytree(explorer.MODULE, tmp_path / "modthread")
    path = tmp_path / "modthread" / fault.file
    text = path.read_text()
    assert text.count(fault.before) == 1, "the fault does not fit the file any more"
    path.write_text(text.replace(fault.before, fault.after))
    return explorer.build_other(fault.cores, tmp_path, fault.file, sanitize=sanitize)


@pytest.mark.lane("long")
@pytest.mark.parametrize("fault", faults.FAULTS, ids=lambda fault: fault.name)
def test_fault_is_found(programs: dict[int, Path], fault: faults.Fault, tmp_path: Path) -> None:
    program = other(fault, tmp_path)
    scenario = explorer.HERE / f"scenarios/{fault.scenario}.py"
    result = explorer.explore(program, scenario, fault.bound)
    assert result.failure
    replayed = explorer.explore(program, scenario, fault.bound, replay=result.replay)
    assert replayed.failure == result.failure


@pytest.mark.lane("long")
def test_sanitizer(tmp_path: Path) -> None:
    name = "a thread's record is used after it was freed"
    [fault] = [fault for fault in faults.FAULTS if fault.name == name]
    scenario = explorer.HERE / f"scenarios/{fault.scenario}.py"
    good = explorer.build(fault.cores, sanitize=True)
    assert not explorer.explore(good, scenario, fault.bound).failure
    bad = other(fault, tmp_path, sanitize=True)
    assert "use-after-poison" in explorer.explore(bad, scenario, fault.bound).failure


def test_files_are_those_of_the_firmware(programs: dict[int, Path]) -> None:
    makefile = (explorer.MODULE / "micropython.mk").read_text().replace("\\\n", "")
    listed = re.search(r"^SRC_USERMOD_C \+= \$\(addprefix [^,]*,(.*)\)$", makefile, re.M)
    assert listed
    firmware = {*listed[1].split(), "scheduler.c"} - {"console.c"}  # there is none here
    build = project.BUILD / "interleavings-1"
    for name in sorted(firmware):
        place = "py/scheduler" if name == "scheduler.c" else f"modthread/{Path(name).stem}"
        dependencies = (build / f"{place}.P").read_text()
        assert f"modthread/{name}" in dependencies
        # Observers include the file; they change nothing in it.
        if (observer := explorer.HERE / f"observe_{Path(name).stem}.c").exists():
            first = next(line for line in observer.read_text().splitlines() if line[:1] == "#")
            assert first == f'#include "modthread/{name}"'
