metadata(version="0.2.0", description="What MicroPython's asyncio lacks for threads")
package("asyncio", files=("threads.py",), base_path="..")
