"""The command `modthread`: what its subcommands are called and which options they take."""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from modthread import boards, build, choice, inventory, run, sources, system
from modthread.bench.command import bench
from modthread.choice import choose
from modthread.device import Device
from modthread.errors import ModthreadError
from modthread.flash.command import flash

EXIT_USAGE = 2
EXIT_NO_READER = 141  # what a shell gives a program that SIGPIPE ends
RUN_STATUS = """\
exit status: 0 success, 1 a Python exception on the board, 2 the command could not do its work
(wrong option, no board, build failed), 3 the board crashed or the script took too long,
130 interrupted by Ctrl-C; a script that calls sys.exit(n) makes it n
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (default: the command line's); return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except ModthreadError as error:
        run.complain(str(error))
        return EXIT_USAGE
    except KeyboardInterrupt:
        return run.EXIT_INTERRUPTED
    except BrokenPipeError:  # nobody reads on, as in `modthread run x.py | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_NO_READER


def _boards(options: argparse.Namespace) -> int:
    return inventory.show(options.ask, options.json)


def _run(options: argparse.Namespace) -> int:
    script = run.read(options.script)
    with closing(_started(options)) as device:
        return run.run(device, script, options.timeout)


def _repl(options: argparse.Namespace) -> int:
    with closing(_started(options)) as device:
        return run.repl(device)


def _firmware(options: argparse.Namespace) -> int:
    print(build.size_report(boards.load(options.board)))
    return 0


def _flash(options: argparse.Namespace) -> int:
    chosen = choose(options.board, options.port)
    port = chosen.port() if chosen.where else None  # None: flash looks in bootloaders, too
    return flash(chosen.board, port, options.no_build, options.wait)


def _bench(options: argparse.Namespace) -> int:
    return bench(boards.load(options.board), options.baseline, options.page)


def _setup(_: argparse.Namespace) -> int:
    system.install_packages()
    sources.micropython()
    return 0


def _started(options: argparse.Namespace) -> Device:
    """Return the chosen board, built if it is emulated, and freshly started."""
    chosen = choose(options.board, options.port)
    port = chosen.port()
    if port is None and not options.no_build:
        build.firmware(chosen.board)
    device = Device(chosen.board, port, options.icount, wait=options.wait)
    try:
        device.start()
    except BaseException:
        device.close()
        raise
    return device


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="modthread", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    kind = argparse.ArgumentParser(add_help=False)
    kind.add_argument(
        "--board", default=boards.DEFAULT, help=f"board or board folder, default {boards.DEFAULT}"
    )
    board = argparse.ArgumentParser(add_help=False)
    board.add_argument("--board", help=f"{choice.HELP}; default {boards.DEFAULT}")
    board.add_argument("--port", help="where the board is, apart from which: see --board")
    board.add_argument(
        "--wait", type=float, default=0, metavar="SECONDS", help="wait for a board that is in use"
    )
    reach = argparse.ArgumentParser(add_help=False, parents=[board])
    reach.add_argument("--no-build", action="store_true", help="use the firmware that is there")
    where = argparse.ArgumentParser(add_help=False, parents=[reach])
    where.add_argument("--icount", help="QEMU's -icount instead of the board's own; off: none")

    command = commands.add_parser("boards", help="list what is attached, and what is emulated")
    command.add_argument(
        "--ask", action="store_true", help="interrupt what runs on them, and ask what that is"
    )
    command.add_argument("--json", action="store_true", help="for programs")
    command.set_defaults(command=_boards)

    command = commands.add_parser(
        "run", parents=[where], help="run a script on a freshly started board", epilog=RUN_STATUS
    )
    command.add_argument("script", type=Path)
    command.add_argument("--timeout", type=_seconds, help="seconds it may take, default: no limit")
    command.set_defaults(command=_run)

    command = commands.add_parser("repl", parents=[where], help="open the prompt of a board")
    command.set_defaults(command=_repl)

    command = commands.add_parser("firmware", parents=[kind], help="build it and show its size")
    command.set_defaults(command=_firmware)

    command = commands.add_parser("flash", parents=[reach], help="put it on a real board")
    command.set_defaults(command=_flash)

    command = commands.add_parser("bench", parents=[kind], help="measure what threads cost")
    command.add_argument("--baseline", type=Path, help="bench.json of an earlier run to compare")
    command.add_argument("--page", action="store_true", help="write docs/performance.md, too")
    command.set_defaults(command=_bench)

    command = commands.add_parser("setup", help="install what is missing, fetch the sources")
    command.set_defaults(command=_setup)
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number of seconds")
    return value
