"""Beside pytest-embedded: what it calls its own, and what it expects of every test."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

# Of pytest-embedded 2.9.3, with which a run of both was seen to work.
OPTIONS = """
--add-target-as-marker-with-amount --app-path --baud --beta-target --build-dir --cache-dir
--check-duplicates --confirm-target-elf-sha256 --count --embedded-services --encrypt --erase-all
--erase-nvs --esp-flash-force --espemu-cli-args --espemu-extra-args --espemu-image-path
--espemu-prog-path --esptool-baud --flash-port --gdb-cli-args --gdb-prog-path --keyfile
--logfile-extension --metric-path --no-fast-flash --no-gdb --openocd-cli-args --openocd-prog-path
--parallel-count --parallel-index --part-tool --port --port-location --port-mac
--port-serial-number --prettify-junit-report --preview-targets --qemu-cli-args --qemu-efuse-path
--qemu-extra-args --qemu-image-path --qemu-prog-path --root-logdir --skip-autoflash
--skip-check-coredump --skip-regenerate-image --supported-targets --target
--unity-test-report-mode --with-timestamp --wokwi-diagram --wokwi-usb-serial-jtag
"""
FIXTURES = """
app app_path baud beta_target build_dir cache_dir close_factory_duts confirm_target_elf_sha256
count dut dut_index dut_total embedded_services encrypt erase_all erase_nvs esp_flash_force
espemu espemu_cli_args espemu_extra_args espemu_image_path espemu_prog_path esptool_baud
flash_port gdb gdb_cli_args gdb_prog_path keyfile log_metric logfile_extension metric_path
msg_queue no_fast_flash no_gdb openocd openocd_cli_args openocd_prog_path parametrize_fixtures
part_tool pexpect_proc port port_app_cache port_location port_mac port_serial_number
port_target_cache qemu qemu_cli_args qemu_efuse_path qemu_extra_args qemu_image_path
qemu_prog_path redirect serial session_root_logdir session_tempdir skip_autoflash
skip_check_coredump skip_decode_panic skip_regenerate_image target test_case_name
test_case_tempdir test_file_path unity_tester with_timestamp wokwi wokwi_diagram
wokwi_usb_serial_jtag
"""
# What its hook of this name does with every test (pytest_embedded/plugin.py).
CONFTEST = """
def pytest_runtest_call(item):
    assert "dut" not in item.funcargs
"""


def pytest(folder: Path, *arguments: str) -> str:
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "--config-file=/dev/null", "--rootdir=.", *arguments],
        cwd=folder,
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    return result.stdout


def test_options_have_other_names(tmp_path: Path) -> None:
    group = pytest(tmp_path, "--help").partition("tests on boards:\n")[2].partition("\n\n")[0]
    ours = set(re.findall(r"^  (--[\w-]+)", group, re.MULTILINE))
    assert {"--board", "--wait", "--icount"} <= ours
    assert ours.isdisjoint(OPTIONS.split())


def test_fixtures_have_other_names(tmp_path: Path) -> None:
    listed = pytest(tmp_path, "--fixtures")
    ours = set(re.findall(r"^(\w+).* -- .*modthread/[\w/]+\.py:\d+$", listed, re.MULTILINE))
    assert "device" in ours
    assert ours.isdisjoint(FIXTURES.split())


def test_every_test_has_what_is_looked_for(tmp_path: Path, fake_board: Callable[..., str]) -> None:
    (tmp_path / "tests/device").mkdir(parents=True)
    (tmp_path / "tests/device/test_it.py").write_text("def test_it():\n    pass\n")
    (tmp_path / "tests/conftest.py").write_text(CONFTEST)
    output = pytest(tmp_path, "--no-build", f"--board={fake_board()}", "-v", "tests")
    assert "tests/device/test_it.py::test_it[FAKE] PASSED" in output
