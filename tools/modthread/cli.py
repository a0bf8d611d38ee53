"""The command `modthread`: what its subcommands are called and which options they take.

The shell's completion starts it, too, so a subcommand imports itself what takes long to import.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import argcomplete

from modthread._base import project, sources, system
from modthread._boards import board_choice, boards, labgrid, reservation, usb
from modthread._boards.board_choice import choose, only_attached
from modthread._commands import board_list, monitor, run
from modthread._commands.verdict import verdict
from modthread._emulators.forward import Forward
from modthread._reports.tracebacks import Script
from modthread._soak.workloads import WORKLOADS
from modthread.device import Device
from modthread.errors import ModthreadError

Command = Callable[[argparse.Namespace], int]

RP2040PY = Path(__file__).with_name("_emulators") / "rp2040py.mk"
EXIT_USAGE = 2
CHECKED = "RPI_PICO"  # the board that check-board means without --board
CHECK_STATUS = """\
exit status: 0 all is well, 1 a test failed, 2 nothing was written to a board, 3 the board did not
get to the end, and the verdict says how far, 130 interrupted by Ctrl-C
"""
SOAK_STATUS = """\
exit status: 0 nothing failed, 1 something failed, 2 the command could not do its work, 3 nothing
brought the board back, 130 interrupted by Ctrl-C; what was counted is kept
"""
EXIT_NO_READER = 141  # what a shell gives a program that SIGPIPE ends
RUN_STATUS = """\
exit status: 0 success, 1 a Python exception on the board, 2 the command could not do its work
(wrong option, no board, build failed), 3 the board crashed or the script took too long,
130 interrupted by Ctrl-C, n if the script calls sys.exit(n)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (default: the command line's); return the exit status."""
    parser = _parser()
    argcomplete.autocomplete(parser)
    options, unknown = parser.parse_known_args(arguments)
    if unknown and options.command is not _test:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    options.others = unknown
    try:
        return int(options.command(options))
    except ModthreadError as error:
        run.print_error(str(error))
        return EXIT_USAGE
    except KeyboardInterrupt:
        return run.EXIT_INTERRUPTED
    except BrokenPipeError:  # nobody reads on, as in `modthread run x.py | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_NO_READER


def _boards(options: argparse.Namespace) -> int:
    if options.all:
        return board_list.show_all(options.json)
    if options.seen:
        return board_list.show_seen(options.json)
    return board_list.show(options.ask, options.json)


def _run(options: argparse.Namespace) -> int:
    def ending(device: Device, script: Script) -> run.Ending:
        ending = run.run(device, script, options.timeout)
        if options.trace:
            run.save_timeline(device, options.trace)
        return ending

    def started() -> closing[Device]:
        return closing(_started(options))

    if options.json:
        path: Path = options.script
        return verdict(path, started, lambda device: ending(device, run.read(path)))
    script = run.read(options.script)
    with started() as device:
        return ending(device, script).status


def _repl(options: argparse.Namespace) -> int:
    with closing(_started(options)) as device:
        return run.repl(device)


def _port(options: argparse.Namespace) -> int:
    with closing(_started(options)) as device:
        return run.lend(device)


def _test(options: argparse.Namespace) -> int:
    """Build the boards' firmware here, where it shows, and leave the rest to pytest."""
    texts = options.board or _without_a_board(options.emulated)
    if options.port:
        if len(options.board or []) > 1:
            raise ModthreadError(f"--port is of one board, but --board names {', '.join(texts)}")
        texts = [f"{texts[0]}@{options.port}" if options.board else options.port]
    if not options.no_build:
        from modthread._firmware import build

        for chosen in map(choose, texts):
            if chosen.where is None:
                build.firmware(replace(chosen.board, traced=options.thread_trace))
    chosen_boards = [f"--board={text}" for text in texts]
    flags = {"--no-build": options.no_build, "--thread-trace": options.thread_trace}
    given = [flag for flag, is_given in flags.items() if is_given]
    command = [sys.executable, "-m", "pytest", "-n", "auto", *chosen_boards, *given]
    sys.stdout.flush()
    os.execv(sys.executable, [*command, *options.others])


def _without_a_board(emulated: bool) -> Sequence[str]:
    if emulated:
        return board_choice.emulated()
    return board_choice.defaults(project.around(Path.cwd()))


def _monitor(options: argparse.Namespace) -> int:
    named = options.board or options.port
    chosen = choose(options.board, options.port) if named else only_attached()
    if chosen.where is None:
        chosen = only_attached(options.board)
    with labgrid.reached(str(chosen.port())) as port:
        return monitor.monitor(port, chosen.board.serial, options.limit, options.wait)


def _firmware(options: argparse.Namespace) -> int:
    from modthread._firmware import build

    print(build.size_report(replace(choose(options.board).board, traced=options.trace)))
    return 0


def _check_image(options: argparse.Namespace) -> int:
    from modthread._firmware import image

    board = choose(options.board).board
    image.check(options.file, board)
    print(f"{options.file}: {board.name} has nothing against it")
    return 0


def _flash(options: argparse.Namespace) -> int:
    from modthread._flash.command import put

    chosen = choose(options.board, options.port)
    outcome = put(
        replace(chosen.board, traced=options.trace),
        chosen.port() if chosen.where else None,  # None: flash looks in bootloaders, too
        image=options.image,
        no_build=options.no_build,
        always=options.always,
        wait=options.wait,
        guessed=chosen.guessed,
    )
    already = "" if outcome.written else " already; nothing was written"
    print(f"{chosen.board.name} on {outcome.port} runs {outcome.runs}{already}")
    return 0


def _check_board(options: argparse.Namespace) -> int:
    from modthread._check_board.command import Check, kind_of

    chosen = choose(options.board or CHECKED, options.port)
    check = Check(
        chosen.board,
        kind_of(options.board, chosen.board),
        chosen.port() if chosen.where else None,  # None: flash looks in bootloaders, too
        full=options.full,
        no_build=options.no_build,
        wait=options.wait,
    )
    return check.keep() if options.reference else check.run()


def _soak(options: argparse.Namespace) -> int:
    from modthread._firmware import build
    from modthread._soak.command import soak

    chosen = choose(options.board, options.port)
    port = chosen.port()
    if port is None and not options.no_build:
        build.firmware(chosen.board)
    emulator = chosen.board.emulator
    icount = emulator.test_icount if emulator else None
    device = Device(chosen.board, port, icount, wait=options.wait)
    return soak(
        device, options.hours, options.seed, options.only or tuple(WORKLOADS), options.repeat
    )


def _release(options: argparse.Namespace) -> int:
    from modthread._release.command import release

    return release(options.board or [], options.folder)


def _bench(options: argparse.Namespace) -> int:
    from modthread._bench.command import bench

    return bench(choose(options.board).board, options.baseline, options.page)


def _setup(_: argparse.Namespace) -> int:
    system.install_packages()
    sources.micropython("mbedtls", required=False)
    sources.lwip()
    make = ["make", "--silent", f"--jobs={os.cpu_count()}", f"--file={RP2040PY}"]
    # Where that fails, the emulator works, slower, and only without its strict processor.
    subprocess.run([*make, f"PYTHON={sys.executable}"], check=False)
    return 0


def _started(options: argparse.Namespace) -> Device:
    """Return the chosen board, built if it is emulated, and freshly started."""
    chosen = choose(options.board, options.port)
    port = chosen.port()
    board = replace(chosen.board, traced=bool(options.trace))
    if port and options.flash:
        from modthread._flash.command import put

        port = put(
            board, port, no_build=options.no_build, wait=options.wait, guessed=chosen.guessed
        ).port
    device = Device(
        board,
        port,
        options.icount,
        wait=options.wait,
        may_flash=options.flash,
        boot_files=not options.no_boot_files,
        forwards=options.forward,
    )
    if port is None and not options.no_build:
        from modthread._firmware import build

        build.firmware(board)
    try:
        device.start()
    except BaseException:
        device.close()
        raise
    for number, where in device.emulator.forwarded.items() if device.emulator else ():
        run.print_error(f"port {number} of the board is {where} here")
    return device


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="modthread", description="Builds, runs, flashes and tests MicroPython with threads."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and end")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    kind = argparse.ArgumentParser(add_help=False)
    _board_option(kind, "--board", f"{board_choice.HELP}; default: the first of pyproject.toml's")
    place = argparse.ArgumentParser(add_help=False)
    _board_option(
        place, "--port", "the board's serial number, port or URL, where --board names its kind"
    )
    place.add_argument(
        "--wait",
        type=reservation.seconds,
        default=0,
        metavar="SECONDS",
        help="wait for a board that is in use",
    )
    board = argparse.ArgumentParser(add_help=False, parents=[kind, place])
    built = argparse.ArgumentParser(add_help=False)
    built.add_argument(
        "--no-build", action="store_true", help="use the firmware that is there already"
    )
    reach = argparse.ArgumentParser(add_help=False, parents=[board, built])
    where = argparse.ArgumentParser(add_help=False, parents=[reach])
    where.add_argument(
        "--flash",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="first flash a board on a port that runs another firmware",
    )
    where.add_argument(
        "--no-boot-files",
        action="store_true",
        help="start the board without running its boot.py and main.py",
    )
    where.add_argument(
        "--icount", help="an emulator's -icount instead of the board's own; off: none"
    )

    where.add_argument(
        "--forward",
        type=_forward,
        action="append",
        default=[],
        metavar="[HOST:]BOARD",
        help="let this host connect to a port of an emulated board, as in 8080:80; without HOST to"
        " any that is free, and its number is printed; may be repeated",
    )

    def add(name: str, function: Command, text: str, **settings: Any) -> argparse.ArgumentParser:
        description = f"{text[0].upper()}{text[1:]}."
        command = commands.add_parser(name, help=text, description=description, **settings)
        command.set_defaults(command=function)
        return command

    command = add("boards", _boards, "list what is attached and what is emulated")
    which = command.add_mutually_exclusive_group()
    which.add_argument(
        "--all", action="store_true", help="list all boards that MicroPython has, and their chips"
    )
    which.add_argument(
        "--seen",
        action="store_true",
        help="print what has been built, run on an emulator, and seen on hardware, as Markdown",
    )
    which.add_argument(
        "--ask",
        action="store_true",
        help="interrupt the program on each board, and ask what runs there",
    )
    command.add_argument("--json", action="store_true", help="print JSON, for programs")

    command = add(
        "run", _run, "run a script on a freshly started board", parents=[where], epilog=RUN_STATUS
    )
    command.add_argument("script", type=Path, help="a Python script on this host")
    command.add_argument(
        "--timeout",
        type=_seconds,
        metavar="SECONDS",
        help="stop the script after this time; default: no limit",
    )

    command.add_argument(
        "--trace",
        type=Path,
        metavar="FILE",
        help="record the threads, and write a timeline for Perfetto (.svg: a picture)",
    )
    command.add_argument(
        "--json", action="store_true", help="print only one line of JSON: verdict and firmware"
    )

    command = add("repl", _repl, "open the prompt of a freshly started board", parents=[where])
    command.set_defaults(trace=None)

    command = add(
        "port",
        _port,
        "lend the port of a freshly started board to other programs",
        parents=[where],
        epilog="Prints the port, and keeps the board until Ctrl-C.",
    )
    command.set_defaults(trace=None)

    command = add(
        "test",
        _test,
        "build the firmware, and run pytest on all boards at once",
        epilog="All other options and arguments are pytest's: see pytest --help.",
        allow_abbrev=False,
    )
    _board_option(command, "--board", f"{board_choice.HELP}; may be repeated", action="append")
    command.add_argument(
        "--emulated",
        action="store_true",
        help="without --board: test on each emulated board that can be built here",
    )
    _board_option(command, "--port", "where the one board is: see --board")
    command.add_argument(
        "--no-build", action="store_true", help="test the firmware that is there already"
    )
    command.add_argument("--thread-trace", action="store_true", help="record what threads do")

    command = add(
        "monitor",
        _monitor,
        "show what a real board prints, with the time, and send it nothing",
        parents=[board],
        epilog="The command waits while the board is away, and goes on after a reset.",
    )
    command.add_argument(
        "--limit", type=_seconds, metavar="SECONDS", help="stop after this time; default: at Ctrl-C"
    )

    traced = argparse.ArgumentParser(add_help=False)
    traced.add_argument(
        "--trace", action="store_true", help="take a firmware that can record what threads do"
    )
    text = "build the firmware of a board and show its size"
    add("firmware", _firmware, text, parents=[kind, traced])
    text = "say what a board would refuse in an image built by hand"
    command = add("check-image", _check_image, text, parents=[kind])
    command.add_argument(
        "file", type=Path, metavar="FILE", help="its .elf; the files beside it are checked, too"
    )
    command = add(
        "flash",
        _flash,
        "build the firmware and put it on a real board",
        parents=[reach, traced],
        epilog="A board that runs this image already is only started afresh.",
    )
    command.add_argument(
        "--always", action="store_true", help="write the image even if the board runs it already"
    )
    command.add_argument(
        "--image",
        type=Path,
        help="write this file instead: UF2, .bin, or ESP-IDF's flasher_args.json",
    )

    if project.IS_CHECKOUT:  # which has the tests
        command = add(
            "check-board",
            _check_board,
            "flash, test and measure a real board, and print a verdict to send in",
            parents=[place, built],
            epilog=CHECK_STATUS,
        )
        _board_option(command, "--board", f"{board_choice.HELP}; default: {CHECKED}")
        command.add_argument(
            "--full", action="store_true", help="test for half an hour instead of five minutes"
        )
        command.add_argument(
            "--reference",
            action="store_true",
            help="check the emulated board instead, and keep the results to compare with",
        )

        command = add(
            "soak",
            _soak,
            "run random work on a board for hours, and count what goes wrong",
            parents=[reach],
            epilog=SOAK_STATUS,
        )
        command.add_argument("--hours", type=_positive, default=8.0, help="default: 8")
        command.add_argument(
            "--seed",
            type=int,
            metavar="N",
            help="begin a new campaign from it; default: go on with the last one, if any",
        )
        command.add_argument(
            "--only",
            action="append",
            choices=tuple(WORKLOADS),
            metavar="WORK",
            help=f"only this kind of work, of {', '.join(WORKLOADS)}; may be repeated",
        )
        command.add_argument(
            "--repeat",
            type=_batch,
            metavar="WORK:BATCH",
            help="run one batch of the seed once more, and count nothing",
        )

        text = "build the images that a release has, with checksums, contents and licences"
        command = add("release", _release, text)
        _board_option(command, "--board", "one of them; may be repeated", action="append")
        command.add_argument("folder", type=Path, metavar="FOLDER", help="where they go")

    command = add("bench", _bench, "measure what threads cost a program", parents=[kind])
    command.add_argument(
        "--baseline", type=Path, help="compare with this bench.json of an earlier run"
    )
    if project.IS_CHECKOUT:
        command.add_argument("--page", action="store_true", help="write docs/performance.md, too")
    command.set_defaults(page=False)

    add("setup", _setup, "install missing system packages and fetch the sources")
    return parser


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from modthread._firmware.job import version

        print(f"modthread {version()}")
        parser.exit()


def _board_option(
    parser: argparse.ArgumentParser, name: str, text: str, **settings: Any
) -> argparse.Action:
    """Add an option whose value the shell can complete with the boards that there are."""

    def complete(**_: object) -> list[str]:
        places = [(one.port, one.serial_number) for one in usb.attached()]
        return [*boards.all_names(), *(word for place in places for word in place if word)]

    option = parser.add_argument(name, help=text, metavar=name[2:].upper(), **settings)
    option.completer = complete  # type: ignore[attr-defined]
    return option


def _seconds(text: str) -> float:
    return _positive(text, "number of seconds")


def _positive(text: str, what: str = "number") -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text} is not a positive {what}")
    return value


def _forward(text: str) -> Forward:
    try:
        return Forward.parse(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text} is no port; name one as in 8080:80, or 80"
        ) from None


def _batch(text: str) -> tuple[str, int]:
    """Return what ``--repeat`` names."""
    name, _, number = text.partition(":")
    if name not in WORKLOADS or not number.isdecimal():
        raise argparse.ArgumentTypeError(
            f"{text} is no batch; name one as in calls:17, of {', '.join(WORKLOADS)}"
        )
    return name, int(number)
