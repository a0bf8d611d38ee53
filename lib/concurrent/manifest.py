metadata(version="0.2.0", description="CPython's concurrent.futures on modthread's threading")
package("concurrent", files=("futures.py",), base_path="..")
