"""A source tree of MicroPython as far as the folders of its boards go."""

import json
from pathlib import Path


class MicroPythonTree:
    """The tree in `folder`; `define` adds a board to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "py").mkdir(parents=True)
        (folder / "py/mpconfig.h").touch()

    def define(
        self, name: str, mcu: str = "rp2040", cmake: str = "", header: str = "", **more: object
    ) -> Path:
        """Write the folder of a board, and return it; `more` goes into its board.json."""
        port = "esp32" if mcu.startswith("esp32") else "rp2"
        folder = self.folder / "ports" / port / "boards" / name
        define_board(folder, mcu, cmake, header, **more)
        return folder


def define_board(folder: Path, mcu: str, cmake: str = "", header: str = "", **more: object) -> None:
    """Write a board's folder as MicroPython takes them; without `mcu` it has no board.json."""
    folder.mkdir(parents=True)
    (folder / "mpconfigboard.cmake").write_text(cmake)
    (folder / "mpconfigboard.h").write_text(header)
    if mcu:
        table = {"mcu": mcu, "product": "Board", "vendor": "Maker"} | more
        (folder / "board.json").write_text(json.dumps(table))
