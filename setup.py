"""What pyproject.toml cannot say: the package has with it what firmware is built from."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

FOLDERS = ["benchmarks", "boards", "lib", "modthread", "ports", "stubs"]
PRODUCT = ["LICENSE", "pyproject.toml", *FOLDERS]


class BuildWithProduct(build_py):
    """Puts PRODUCT into the package, as modthread/product; a checkout is used as it is."""

    def run(self) -> None:
        """Build."""
        super().run()
        if self.editable_mode:
            return
        product = Path(self.build_lib) / "modthread/product"
        shutil.rmtree(product, ignore_errors=True)
        product.mkdir(parents=True)
        for name in PRODUCT:
            if Path(name).is_dir():
                ignored = shutil.ignore_patterns("build-*", "__pycache__")
                shutil.copytree(name, product / name, ignore=ignored)
            else:
                shutil.copy2(name, product)


setup(cmdclass={"build_py": BuildWithProduct})
