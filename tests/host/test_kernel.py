"""The kernel is a contract: modthread/kernel.h says it, one file for each kernel keeps it."""

import re
from pathlib import Path

import pytest

from modthread._base.project import ROOT

MODULE = ROOT / "modthread"
CONTRACT = (MODULE / "kernel.h").read_text()
COMMON = "kernel_freertos_common.h"
SHARED = {COMMON, "kernel_interrupt_mask.h"}
KERNELS = sorted(path for path in MODULE.glob("kernel_*.h") if path.name not in SHARED)

# What FreeRTOS names so is a call, a macro or a setting of it; its types are the contract's.
OF_THE_KERNEL = re.compile(
    r"\b(?:(?:[xve]|ul|pv|pc|ux)(?:Task|Queue|Semaphore|Port|Timer|Application)\w*"
    r"|(?:port|config|tsk|pd)[A-Z]\w*|INCLUDE_\w+)\b"
)


def code(text: str) -> str:
    return re.sub(r"//.*", "", text)


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(MODULE.glob("*.[ch]")) if not path.name.startswith("kernel")],
    ids=lambda path: path.name,
)
def test_nothing_else_calls_the_kernel(path: Path) -> None:
    assert OF_THE_KERNEL.findall(code(path.read_text())) == []


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.name)
def test_a_kernel_provides_what_the_contract_says(path: Path) -> None:
    text = code(path.read_text() + (MODULE / COMMON).read_text())
    promised = set(re.findall(r"^\w.*\b(kernel_\w+)\(.*\);", code(CONTRACT), re.MULTILINE))
    assert len(promised) == 15
    if "KERNEL_HAS_HEAP (0)" in text:
        promised -= {"kernel_malloc", "kernel_free", "kernel_can_run_in"}
    missing = {
        name for name in promised if not re.search(rf"^static inline .*\b{name}\(", text, re.M)
    }
    constants = set(re.findall(r"^//     (KERNEL_\w+)", CONTRACT, re.MULTILINE))
    assert len(constants) == 6
    missing |= {name for name in constants if f"#define {name} " not in text}
    assert missing == set()
