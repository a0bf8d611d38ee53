include("$(MPY_DIR)/extmod/asyncio")
freeze("modules", "_boot.py")
